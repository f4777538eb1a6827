import Glibc
import Optimizers
import Tensors
import Testing

/// Adam against PyTorch 2.13, gradients from 10⁻³ to 10 in size. The script that made the numbers:
///
///     import torch
///     k = torch.arange(5, dtype=torch.float64)
///     theta = torch.sin(k).float().requires_grad_()
///     adam = torch.optim.Adam([theta], lr=0.01, betas=(0.9, 0.999), eps=1e-8)
///     for step in range(1, 11):
///         theta.grad = (torch.cos(k * step) * 10.0 ** (k - 3)).float()
///         adam.step()
///         if step in (1, 2, 10):
///             s = adam.state[theta]
///             for n, t in (("theta", theta), ("m", s["exp_avg"]), ("v", s["exp_avg_sq"])):
///                 print(step, n, [float(f"{v:.8g}") for v in t.tolist()])
@Suite struct AdamTests {
  private static let golden: [Int: (theta: [Float], m: [Float], v: [Float])] = [
    1: (
      [-0.0099998992, 0.83147097, 0.9192974, 0.15112001, -0.74680251],
      [0.0001, 0.00054030231, -0.0041614687, -0.098999254, -0.65364361],
      [1.0000002e-09, 2.9192661e-08, 1.731782e-06, 0.00098008523, 0.042724997]
    ),
    2: (
      [-0.019999798, 0.83070558, 0.92917275, 0.15074666, -0.73864454],
      [0.00019000001, 7.0125265e-05, -0.010281757, 0.0069177002, -0.73377925],
      [1.9990003e-09, 4.6481286e-08, 6.0025504e-06, 0.0019010321, 0.044799298]
    ),
    10: (
      [-0.099999003, 0.84616828, 0.9341625, 0.15782146, -0.73211128],
      [0.00065132155, -0.0012205784, 0.0032385937, -0.013729118, -0.71004659],
      [9.9551212e-09, 4.9785154e-07, 4.4778124e-05, 0.0050143213, 0.44876087]
    ),
  ]

  private func expectClose(_ values: [Float], _ expected: [Float], within tolerance: Float, _ name: String) {
    for k in 0..<expected.count {
      #expect(abs(values[k] - expected[k]) <= tolerance * abs(expected[k]), "\(name)[\(k)]")
    }
  }

  /// The gradient comes summed over a number of samples, which is divided out.
  @Test(arguments: [1, 3, 32])
  func goldenValues(samples: Int) {
    let theta = Buffer((0..<5).map { Float(sin(Double($0))) })
    let adam = Adam(learningRate: 0.01).makeOptimizer(for: layout(5))
    #expect(adam.state.moments.map(\.name) == ["m", "v"])
    for step in 1...10 {
      let gradient = Buffer(
        (0..<5).map { Float(samples) * Float(cos(Double($0 * step)) * pow(10, Double($0) - 3)) })
      adam.update(theta, gradient: gradient, samples: samples, step: step)
      guard let golden = Self.golden[step] else { continue }
      expectClose(theta.array, golden.theta, within: 2e-6, "θ at \(step)")
      expectClose(adam.state.moments[0].values.array, golden.m, within: 2e-6, "m at \(step)")
      // PyTorch takes 1 − 0.999 in Double, which is 1.3·10⁻⁵ larger than 1 − Float(0.999). The bias correction here is of
      // Float's β₂, too, so the difference cancels in the step.
      expectClose(adam.state.moments[1].values.array, golden.v, within: 2e-5, "v at \(step)")
    }
  }

  /// At step 1 the corrected moments are the gradient and its square: a step of α towards the gradient's sign, whatever its size.
  @Test func biasCorrectionAtStepOne() {
    let sizes: [Float] = [1e-4, -1e-2, 1, -100, 1e6]
    let theta = Buffer<Float>(count: 5)
    Adam(learningRate: 0.25).makeOptimizer(for: layout(5)).update(theta, gradient: Buffer(sizes), samples: 1, step: 1)
    for k in 0..<5 { #expect(abs(theta[k] - (sizes[k] < 0 ? 0.25 : -0.25)) < 5e-5, "\(sizes[k])") }
  }

  /// No gradient, no step, no division by zero.
  @Test func zeroGradient() {
    let theta = Buffer([1, -2] as [Float])
    let adam = Adam().makeOptimizer(for: layout(2))
    for step in 1...3 { adam.update(theta, gradient: Buffer(count: 2), samples: 4, step: step) }
    #expect(theta.array == [1, -2])
  }

  /// Late in a long run the corrections are gone: 1 − βᵗ is 1, and nothing overflows.
  @Test func largeSteps() {
    var results: [[Float]] = []
    for step in [1_000_000, 1_000_000_000, Int.max] {
      let theta = Buffer([0.5, 0.5] as [Float])
      let adam = Adam(learningRate: 0.01).makeOptimizer(for: layout(2))
      adam.update(theta, gradient: Buffer([1, -3]), samples: 1, step: step)
      results.append(theta.array)
      // m = 0.1·g, √v = √0.001·|g|.
      expectClose(theta.array, [0.5 - 0.0316228, 0.5 + 0.0316228], within: 1e-5, "θ at \(step)")
    }
    #expect(results[0] == results[1] && results[1] == results[2])
  }

  /// The state is all that a run needs to go on: a fresh optimizer with it takes the same steps.
  @Test(arguments: optimizers.indices)
  func stateIsWhole(_ index: Int) {
    let gradients = (0..<6).map { step in Buffer((0..<21).map { Float(sin(Double(31 * step + $0))) }) }
    func run(_ optimizer: any Optimizer, _ theta: Buffer<Float>, _ steps: ClosedRange<Int>) {
      for step in steps { optimizer.update(theta, gradient: gradients[step - 1], samples: 8, step: step) }
    }
    func fresh() -> any Optimizer { optimizers[index].makeOptimizer(for: layout(21)) }
    let (theta, optimizer) = (Buffer<Float>(count: 21), fresh())
    run(optimizer, theta, 1...3)
    let (resumedTheta, resumed) = (Buffer(theta.array), fresh())
    for (from, to) in zip(optimizer.state.moments, resumed.state.moments) { to.values.copy(from: from.values) }
    run(optimizer, theta, 4...6)
    run(resumed, resumedTheta, 4...6)
    #expect(resumedTheta.array == theta.array)
  }
}
