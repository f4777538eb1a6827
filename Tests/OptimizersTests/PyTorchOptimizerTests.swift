import Glibc
import Optimizers
import Tensors
import Testing

/// SGD and AdamW against PyTorch 2.15, gradients from 10⁻³ to 10 in size. The script that made the numbers:
///
///     import math, torch
///     from torch.optim import SGD, AdamW
///     for name, make in {
///         "plain": lambda p: SGD(p, lr=0.01), "momentum": lambda p: SGD(p, lr=0.01, momentum=0.9),
///         "nesterov": lambda p: SGD(p, lr=0.01, momentum=0.9, nesterov=True),
///         "decay": lambda p: SGD(p, lr=0.01, weight_decay=0.1),
///         "all": lambda p: SGD(p, lr=0.01, momentum=0.9, nesterov=True, weight_decay=0.1),
///         "adamw": lambda p: AdamW(p, lr=0.01, weight_decay=0.1),
///     }.items():
///         theta = torch.tensor([math.sin(k) for k in range(5)], requires_grad=True)
///         optimizer = make([theta])
///         for t in range(1, 11):
///             theta.grad = torch.tensor([math.cos(k * t) * 10.0 ** (k - 3) for k in range(5)])
///             optimizer.step()
///             if t in (1, 2, 10):
///                 state = optimizer.state[theta]
///                 kept = [state[key] for key in ("momentum_buffer", "exp_avg", "exp_avg_sq") if state.get(key) is not None]
///                 print(name, t, *[[float(f"{x:.8g}") for x in v.tolist()] for v in [theta] + kept])
@Suite struct PyTorchOptimizerTests {
  /// The parameters after steps 1, 2 and 10, and the first moment after step 10.
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var optimizer: any OptimizerSpecification
    var parameters: [Int: [Float]]
    var moment: [Float]?
    var testDescription: String { name }
  }

  static let cases = [
    Case(
      name: "plain", optimizer: SGD(),
      parameters: [
        1: [-1.0000001e-05, 0.84141695, 0.90971357, 0.15101993, -0.69143814],
        2: [-2.0000001e-05, 0.84145856, 0.91036719, 0.14141823, -0.67688811],
        10: [-0.00010000001, 0.84161276, 0.90930027, 0.14569908, -0.65640527],
      ]),
    Case(
      name: "momentum", optimizer: SGD(momentum: 0.9),
      parameters: [
        1: [-1.0000001e-05, 0.84141695, 0.90971357, 0.15101993, -0.69143814],
        2: [-2.9000001e-05, 0.84140992, 0.91074175, 0.15032816, -0.61806023],
        10: [-0.0004138106, 0.84178996, 0.9122408, 0.17455454, -0.39187211],
      ], moment: [0.0065132156, -0.012205783, 0.032385949, -0.13729116, -7.1004658]),
    Case(
      name: "nesterov", optimizer: SGD(momentum: 0.9, isNesterov: true),
      parameters: [
        1: [-1.8999999e-05, 0.84136832, 0.91008806, 0.15992986, -0.6326102],
        2: [-4.6100002e-05, 0.8414036, 0.91166705, 0.14970556, -0.55202007],
        10: [-0.00047242953, 0.84189981, 0.91194922, 0.17579013, -0.32796794],
      ], moment: [0.0065132156, -0.012205783, 0.032385949, -0.13729116, -7.1004658]),
    Case(
      name: "decay", optimizer: SGD(weightDecay: 0.1),
      parameters: [
        1: [-1.0000001e-05, 0.84057546, 0.90880424, 0.1508788, -0.69068134],
        2: [-1.9990001e-05, 0.83977652, 0.90854907, 0.14112622, -0.67544067],
        10: [-9.9551202e-05, 0.8332355, 0.90024334, 0.1442465, -0.64931893],
      ]),
    Case(
      name: "all", optimizer: SGD(momentum: 0.9, weightDecay: 0.1, isNesterov: true),
      parameters: [
        1: [-1.8999999e-05, 0.83976948, 0.90836042, 0.15966173, -0.6311723],
        2: [-4.6063898e-05, 0.83752763, 0.90747702, 0.14901976, -0.54876995],
        10: [-0.00046663429, 0.80262852, 0.86943281, 0.16831534, -0.30128968],
      ], moment: [0.0063792961, 0.52469957, 0.61401701, -0.031508982, -7.4316602]),
    Case(
      name: "adamw", optimizer: AdamW(learningRate: 0.01, weightDecay: 0.1),
      parameters: [
        1: [-0.0099998992, 0.83062953, 0.91838813, 0.15097889, -0.74604571],
        2: [-0.0199898, 0.82903355, 0.9273451, 0.15045457, -0.73714173],
        10: [-0.09955021, 0.83780265, 0.92491978, 0.15629518, -0.72475362],
      ], moment: [0.00065132155, -0.0012205784, 0.0032385937, -0.013729118, -0.71004659]),
  ]

  /// Seven copies of the five elements: whole vectors and a rest. The gradient comes summed over a number of samples.
  @Test(arguments: cases, [1, 32])
  func goldenValues(_ golden: Case, samples: Int) {
    let count = 35
    let theta = Buffer((0..<count).map { Float(sin(Double($0 % 5))) })
    let optimizer = golden.optimizer.makeOptimizer(for: layout(count))
    for step in 1...10 {
      let gradient = (0..<count).map {
        Float(samples) * Float(cos(Double($0 % 5 * step)) * pow(10, Double($0 % 5) - 3))
      }
      optimizer.update(theta, gradient: Buffer(gradient), samples: samples, step: step)
      if let expected = golden.parameters[step] { expectClose(theta, expected, "θ at \(step)") }
    }
    #expect(optimizer.state.moments.isEmpty == (golden.moment == nil))
    if let moment = golden.moment { expectClose(optimizer.state.moments[0].values.prefix(count), moment, "moment") }
  }

  private func expectClose(_ values: Buffer<Float>, _ expected: [Float], _ name: String) {
    for k in 0..<values.count {
      let value = expected[k % 5]
      #expect(abs(values[k] - value) <= 2e-6 * max(abs(value), 1e-3), "\(name)[\(k)]: \(values[k]) for \(value)")
    }
  }
}
