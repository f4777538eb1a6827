/// The constants of one Adam step, worked out once for all elements.
public struct AdamCoefficients: Sendable {
  /// The factor of the summed gradient: 1 / samples.
  public var gradientScale: Float
  /// β₁, the part of the first moment that stays.
  public var beta1: Float
  /// β₂, the part of the second moment that stays.
  public var beta2: Float
  /// α / (1 − β₁ᵗ).
  public var stepSize: Float
  /// 1 / √(1 − β₂ᵗ).
  public var secondMomentCorrection: Float
  /// ε.
  public var epsilon: Float

  /// The constants of one step.
  public init(
    gradientScale: Float, beta1: Float, beta2: Float, stepSize: Float, secondMomentCorrection: Float, epsilon: Float
  ) {
    self.gradientScale = gradientScale
    self.beta1 = beta1
    self.beta2 = beta2
    self.stepSize = stepSize
    self.secondMomentCorrection = secondMomentCorrection
    self.epsilon = epsilon
  }
}

/// One Adam step over flat memory in one pass (Kingma & Ba 2015, Algorithm 1); all four buffers have the same count.
///
///     g = gradientScale · gradient
///     m = β₁·m + (1 − β₁)·g
///     v = β₂·v + (1 − β₂)·g²
///     θ = θ − α/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
///
/// - Parameters:
///   - parameters: θ.
///   - gradient: the gradient, summed over the samples.
///   - firstMoment: m.
///   - secondMoment: v.
///   - coefficients: the constants of the step.
///   - keeping: the factor of a parameter before its step, 1 − α·λ with decoupled weight decay (Loshchilov & Hutter 2019,
///     Algorithm 2); nil for 1.
public func adamStep(
  parameters: Buffer<Float>, gradient: Buffer<Float>, firstMoment: Buffer<Float>, secondMoment: Buffer<Float>,
  _ coefficients: AdamCoefficients, keeping: Float? = nil
) {
  let count = parameters.count
  precondition(
    gradient.count == count && firstMoment.count == count && secondMoment.count == count,
    "Adam on buffers of different counts")
  let theta = unsafe parameters.base
  // A loop for each, so that one without decay multiplies no more than it must.
  if let keeping {
    let kept = Lanes(repeating: keeping)
    adamDirections(gradient, firstMoment, secondMoment, coefficients) { i, direction in
      unsafe theta.store(theta.lanes(i) * kept - direction, i)
    } rest: { i, direction in
      unsafe theta[i] = theta[i] * keeping - direction
    }
  } else {
    adamDirections(gradient, firstMoment, secondMoment, coefficients) { i, direction in
      unsafe theta.store(theta.lanes(i) - direction, i)
    } rest: { i, direction in
      unsafe theta[i] -= direction
    }
  }
}

/// Moves the moments by one step, and calls `whole` with each vector of `stepSize · m / (√v · secondMomentCorrection + ε)`
/// and its offset, then `rest` with each float behind the vectors.
@inline(__always)
func adamDirections(
  _ gradient: Buffer<Float>, _ firstMoment: Buffer<Float>, _ secondMoment: Buffer<Float>, _ c: AdamCoefficients,
  whole: (Int, Lanes) -> Void, rest: (Int, Float) -> Void
) {
  let count = gradient.count
  let g = unsafe UnsafePointer(gradient.base)
  let m = unsafe firstMoment.base
  let v = unsafe secondMoment.base
  let scale = Lanes(repeating: c.gradientScale)
  let decay1 = Lanes(repeating: c.beta1)
  let decay2 = Lanes(repeating: c.beta2)
  let rest1 = Lanes(repeating: 1 - c.beta1)
  let rest2 = Lanes(repeating: 1 - c.beta2)
  let epsilon = Lanes(repeating: c.epsilon)
  let correction = Lanes(repeating: c.secondMomentCorrection)
  let step = Lanes(repeating: c.stepSize)
  let end = count / laneCount * laneCount
  for i in stride(from: 0, to: end, by: laneCount) {
    let scaled = unsafe g.lanes(i) * scale
    let first = unsafe (m.lanes(i) * decay1).addingProduct(scaled, rest1)
    let second = unsafe (v.lanes(i) * decay2).addingProduct(scaled * scaled, rest2)
    let denominator = epsilon.addingProduct(second.root(), correction)
    unsafe m.store(first, i)
    unsafe v.store(second, i)
    whole(i, first * step / denominator)
  }
  for i in end..<count {
    let scaled = unsafe g[i] * c.gradientScale
    let first = unsafe (m[i] * c.beta1).addingProduct(scaled, 1 - c.beta1)
    let second = unsafe (v[i] * c.beta2).addingProduct(scaled * scaled, 1 - c.beta2)
    let denominator = c.epsilon.addingProduct(second.squareRoot(), c.secondMomentCorrection)
    unsafe m[i] = first
    unsafe v[i] = second
    rest(i, first * c.stepSize / denominator)
  }
}
