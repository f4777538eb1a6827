import Primitives
import Vectors

/// The direction of one LAMB step over flat memory (You et al. 2020, Algorithm 2), before it is scaled to its
/// parameter's norm; all five buffers have the same count.
///
///     g = gradientScale · gradient
///     m = β₁·m + (1 − β₁)·g
///     v = β₂·v + (1 − β₂)·g²
///     u = m / (1 − β₁ᵗ) / (√v / √(1 − β₂ᵗ) + ε) + λ·θ
///
/// Numbers below 2⁻¹²⁶ count as zero, as in Adam's step.
///
/// - Parameters:
///   - parameters: θ, which is only read.
///   - gradient: the gradient, summed over the samples.
///   - firstMoment: m.
///   - secondMoment: v.
///   - direction: u, which is written.
///   - coefficients: the constants of the step, with `stepSize` 1 / (1 − β₁ᵗ).
///   - weightDecay: λ.
public func lambDirection(
  _ parameters: Buffer<Float>, gradient: Buffer<Float>, firstMoment: Buffer<Float>, secondMoment: Buffer<Float>,
  into direction: Buffer<Float>, _ coefficients: AdamCoefficients, weightDecay: Float
) {
  let count = parameters.count
  precondition(
    gradient.count == count && firstMoment.count == count && secondMoment.count == count && direction.count == count,
    "LAMB on buffers of different counts")
  let theta = unsafe UnsafePointer(parameters.base)
  let u = unsafe direction.base
  let decay = Lanes(repeating: weightDecay)
  let directions = AdamDirections(gradient, firstMoment, secondMoment, coefficients)
  let flushed = FlushedDenormals()
  defer { flushed.end() }
  @inline(__always)
  func vector(_ i: Int, _ width: Int) {
    unsafe u.store(directions.next(i, width).addingProduct(theta.lanes(i, first: width), decay), i, first: width)
  }
  forEachVector(of: count, vector)
}

/// `destination[i] -= factor · source[i]`. Same count.
public func subtract(_ source: Buffer<Float>, times factor: Float, from destination: Buffer<Float>) {
  precondition(source.count == destination.count, "a difference of buffers of different counts")
  let x = unsafe UnsafePointer(source.base)
  let y = unsafe destination.base
  let factors = Lanes(repeating: -factor)
  let whole = source.count / laneCount * laneCount
  for i in stride(from: 0, to: whole, by: laneCount) {
    unsafe y.store(y.lanes(i).addingProduct(x.lanes(i), factors), i)
  }
  for i in whole..<source.count { unsafe y[i] = y[i].addingProduct(x[i], -factor) }
}
