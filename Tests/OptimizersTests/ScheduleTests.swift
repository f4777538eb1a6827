import Optimizers
import Tensors
import Testing

/// Schedules against PyTorch 2.15. The script that made the numbers:
///
///     import torch, warnings
///     warnings.filterwarnings("ignore")
///     from torch.optim.lr_scheduler import *
///     def rates(shape, w, T, steps):
///         adam = torch.optim.SGD([torch.zeros(1)], lr=1.0)
///         if w: first = LinearLR(adam, 1 / w, 1, w - 1)
///         after = {"cosine": lambda: CosineAnnealingLR(adam, T_max=T - w), "linear": lambda: LinearLR(adam, 1, 0, T - w),
///                  "constant": lambda: ConstantLR(adam, 1, 0),
///                  "step": lambda: MultiStepLR(adam, [(T - w) // 2, 3 * (T - w) // 4]),
///                  "one-cycle": lambda: OneCycleLR(adam, 1.0, total_steps=T - w, cycle_momentum=False)}[shape]()
///         both = SequentialLR(adam, [first, after], [w]) if w else after
///         for step in range(1, T + 1):
///             if step in steps: print(shape, w, T, step, f"{adam.param_groups[0]['lr']:.10g}")
///             adam.step(); both.step()
///     for shape in ("constant", "cosine", "linear", "step", "one-cycle"):
///         for w in (0, 4): rates(shape, w, 20, (1, 3, 4, 5, 12, 20))
@Suite struct ScheduleTests {
  private static let steps = [1, 3, 4, 5, 12, 20]
  private static let golden: [(shape: Schedule.Shape, warmup: Int, factors: [Double])] = [
    (.constant, 0, [1, 1, 1, 1, 1, 1]),
    (.constant, 4, [0.25, 0.75, 1, 1, 1, 1]),
    (.cosine, 0, [1, 0.9755282581, 0.9455032621, 0.9045084972, 0.4217827675, 0.006155829702]),
    (.cosine, 4, [0.25, 0.75, 1, 1, 0.597545161, 0.009607359798]),
    (.linear, 0, [1, 0.9, 0.85, 0.8, 0.45, 0.05]),
    (.linear, 4, [0.25, 0.75, 1, 1, 0.5625, 0.0625]),
    (.step, 0, [1, 1, 1, 1, 0.1, 0.01]),
    (.step, 4, [0.25, 0.75, 1, 1, 1, 0.01]),
    (.oneCycle, 0, [0.04, 0.3716718427, 0.6683281573, 0.9083281573, 0.6112620219, 4e-06]),
    (.oneCycle, 4, [0.25, 0.75, 1, 0.04, 0.8117456539, 4e-06]),
  ]

  @Test(arguments: golden.indices)
  func goldenValues(_ index: Int) {
    let golden = Self.golden[index]
    let schedule = Schedule(golden.shape, warmup: golden.warmup, steps: 20)
    for (step, factor) in zip(Self.steps, golden.factors) {
      #expect(abs(schedule.factor(step: step) - factor) < 1e-9, "\(schedule) at \(step)")
    }
  }

  /// Never none and never more than the full rate, and behind its end no step off the slope.
  @Test(arguments: Schedule.Shape.allCases, [0, 1, 99])
  func factorsStayInRange(shape: Schedule.Shape, warmup: Int) {
    let schedule = Schedule(shape, warmup: warmup, steps: 100)
    for step in 1...200 { #expect(schedule.factor(step: step) > 0 && schedule.factor(step: step) <= 1, "\(step)") }
    #expect(schedule.factor(step: 101) == schedule.factor(step: 100))
  }

  @Test func describesWhatTheFactorsFollowFrom() {
    #expect("\(Schedule.constant)" == "constant")
    #expect("\(Schedule(.cosine, warmup: 3, steps: 9))" == "cosine over 9 steps after 3 of warm-up")
    #expect(Schedule(.constant, warmup: 0, steps: 7).description == Schedule.constant.description)
  }

  /// Every optimizer takes the step of a learning rate multiplied by the factor.
  @Test(arguments: optimizers.indices)
  func optimizersFollow(_ index: Int) {
    func at(_ rate: Float) -> any OptimizerSpecification {
      var optimizer = optimizers[index]
      optimizer.learningRate = rate
      return optimizer
    }
    let gradient = Buffer([1, -3] as [Float])
    let schedule = Schedule(.linear, warmup: 0, steps: 4)
    for step in 1...4 {
      let (theta, expected) = (Buffer([2, 3] as [Float]), Buffer([2, 3] as [Float]))
      at(0.5).makeOptimizer(for: layout(2), schedule: schedule).update(
        theta, gradient: gradient, samples: 1, step: step)
      at(0.5 * Float(5 - step) / 4).makeOptimizer(for: layout(2)).update(
        expected, gradient: gradient, samples: 1, step: step)
      for k in 0..<2 { #expect(abs(theta[k] - expected[k]) <= 1e-6 * abs(expected[k]), "\(step)") }
    }
  }
}
