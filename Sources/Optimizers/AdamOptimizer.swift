import Glibc
import Kernels
import NeuralNetworks
import Tensors

/// Takes the steps of ``Adam`` and ``AdamW``.
final class AdamOptimizer: ShowingOptimizer {
  let state: OptimizerState
  private let adam: Adam
  private let schedule: Schedule
  private let groups: DecayGroups

  init(_ adam: Adam, weightDecay: Float, _ state: OptimizerState, _ layout: ParameterLayout, _ schedule: Schedule) {
    self.adam = adam
    self.state = state
    self.schedule = schedule
    groups = DecayGroups(of: layout, weightDecay: weightDecay)
  }

  func update(
    _ parameters: Buffer<Float>, gradient: Buffer<Float>, in range: Range<Int>, scale: Float, step: Int,
    showing shown: Buffer<Float>?
  ) {
    let rate = Double(adam.learningRate) * schedule.factor(step: step)
    let coefficients = adam.coefficients(scale: scale, rate: rate, step: step)
    groups.forEach(in: range) { part, weightDecay in
      adamStep(
        parameters: parameters[part], gradient: gradient[part], firstMoment: state.values(0, of: part),
        secondMoment: state.values(1, of: part), coefficients,
        keeping: weightDecay == 0 ? nil : Float(1 - rate * Double(weightDecay)), showing: shown?[part])
    }
  }
}

extension Adam {
  /// The constants of step `step`, counted from 1, at the learning rate `rate`.
  func coefficients(scale: Float, rate: Double, step: Int) -> AdamCoefficients {
    precondition(step >= 1, "steps are counted from 1")
    // In Double: β₂ᵗ is within a rounding of 1 for the first steps, and the correction divides by the difference.
    let correction1 = 1 - pow(Double(beta1), Double(step))
    let correction2 = 1 - pow(Double(beta2), Double(step))
    return AdamCoefficients(
      gradientScale: scale, beta1: beta1, beta2: beta2, stepSize: Float(rate / correction1),
      secondMomentCorrection: Float(1 / correction2.squareRoot()), epsilon: epsilon)
  }
}
