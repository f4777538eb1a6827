/// The direction of one LAMB step over flat memory (You et al. 2020, Algorithm 2), before it is scaled to its
/// parameter's norm; all five buffers have the same count.
///
///     g = gradientScale · gradient
///     m = β₁·m + (1 − β₁)·g
///     v = β₂·v + (1 − β₂)·g²
///     u = m / (1 − β₁ᵗ) / (√v / √(1 − β₂ᵗ) + ε) + λ·θ
///
/// - Parameters:
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
  let c = coefficients
  let theta = unsafe UnsafePointer(parameters.base)
  let g = unsafe UnsafePointer(gradient.base)
  let m = unsafe firstMoment.base
  let v = unsafe secondMoment.base
  let u = unsafe direction.base
  let (scale, decay) = (Lanes(repeating: c.gradientScale), Lanes(repeating: weightDecay))
  let (decay1, rest1) = (Lanes(repeating: c.beta1), Lanes(repeating: 1 - c.beta1))
  let (decay2, rest2) = (Lanes(repeating: c.beta2), Lanes(repeating: 1 - c.beta2))
  let (epsilon, correction) = (Lanes(repeating: c.epsilon), Lanes(repeating: c.secondMomentCorrection))
  let step = Lanes(repeating: c.stepSize)
  let whole = count / laneCount * laneCount
  for i in stride(from: 0, to: whole, by: laneCount) {
    let scaled = unsafe g.lanes(i) * scale
    let first = unsafe (m.lanes(i) * decay1).addingProduct(scaled, rest1)
    let second = unsafe (v.lanes(i) * decay2).addingProduct(scaled * scaled, rest2)
    let denominator = epsilon.addingProduct(second.root(), correction)
    unsafe m.store(first, i)
    unsafe v.store(second, i)
    unsafe u.store((first * step / denominator).addingProduct(theta.lanes(i), decay), i)
  }
  for i in whole..<count {
    let scaled = unsafe g[i] * c.gradientScale
    let first = unsafe (m[i] * c.beta1).addingProduct(scaled, 1 - c.beta1)
    let second = unsafe (v[i] * c.beta2).addingProduct(scaled * scaled, 1 - c.beta2)
    let denominator = c.epsilon.addingProduct(second.squareRoot(), c.secondMomentCorrection)
    unsafe m[i] = first
    unsafe v[i] = second
    unsafe u[i] = (first * c.stepSize / denominator).addingProduct(theta[i], weightDecay)
  }
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
