import Glibc
import Kernels
import Tensors

/// Adam with bias correction (Kingma & Ba 2015, Algorithm 1), the gradient averaged over the batch:
///
///     m = β₁·m + (1 − β₁)·g        m̂ = m / (1 − β₁ᵗ)
///     v = β₂·v + (1 − β₂)·g²       v̂ = v / (1 − β₂ᵗ)
///     θ = θ − α · m̂ / (√v̂ + ε)
///
/// The same as PyTorch's `Adam`; Keras' differs in ε, 1e-7.
public final class Adam: Optimizer {
  /// α, β₁, β₂ and ε.
  public let learningRate: Float
  public let beta1: Float
  public let beta2: Float
  public let epsilon: Float
  /// How α changes over the run.
  public let schedule: Schedule

  private let firstMoment: Buffer<Float>
  private let secondMoment: Buffer<Float>

  /// With moments in these buffers, zero at the start of a run and as many as parameters; the defaults are the paper's.
  public init(
    firstMoment: Buffer<Float>, secondMoment: Buffer<Float>, learningRate: Float = 1e-3, beta1: Float = 0.9,
    beta2: Float = 0.999, epsilon: Float = 1e-8, schedule: Schedule = .constant
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.schedule = schedule
    self.firstMoment = firstMoment
    self.secondMoment = secondMoment
  }

  public var state: [(name: String, values: Buffer<Float>)] { [("m", firstMoment), ("v", secondMoment)] }

  /// With moments of its own, for `count` parameters.
  public convenience init(count: Int, learningRate: Float = 1e-3, schedule: Schedule = .constant) {
    self.init(
      firstMoment: Buffer(count: count), secondMoment: Buffer(count: count), learningRate: learningRate,
      schedule: schedule)
  }

  public func update(
    _ parameters: Buffer<Float>, gradient: Buffer<Float>, in range: Range<Int>, scale: Float, step: Int
  ) {
    precondition(step >= 1, "steps are counted from 1")
    // In Double: β₂ᵗ is within a rounding of 1 for the first steps, and the correction divides by the difference.
    let correction1 = 1 - pow(Double(beta1), Double(step))
    let correction2 = 1 - pow(Double(beta2), Double(step))
    adamStep(
      parameters: parameters[range], gradient: gradient[range], firstMoment: firstMoment[range],
      secondMoment: secondMoment[range],
      AdamCoefficients(
        gradientScale: scale, beta1: beta1, beta2: beta2,
        stepSize: Float(Double(learningRate) * schedule.factor(step: step) / correction1),
        secondMomentCorrection: Float(1 / correction2.squareRoot()),
        epsilon: epsilon))
  }
}
