/// One step of Adam with decoupled weight decay over flat memory in one pass (Loshchilov & Hutter 2019, Algorithm 2); all four buffers
/// have the same count.
///
///     θ = keeping · θ − step of ``adamStep(parameters:gradient:firstMoment:secondMoment:_:)``
///
/// - Parameter keeping: what is left of a parameter before its step: 1 − α·λ.
public func adamWStep(
  parameters: Buffer<Float>, gradient: Buffer<Float>, firstMoment: Buffer<Float>, secondMoment: Buffer<Float>,
  _ coefficients: AdamCoefficients, keeping: Float
) {
  let count = parameters.count
  precondition(
    gradient.count == count && firstMoment.count == count && secondMoment.count == count,
    "AdamW on buffers of different counts")
  let theta = unsafe parameters.base
  let g = unsafe UnsafePointer(gradient.base)
  let m = unsafe firstMoment.base
  let v = unsafe secondMoment.base
  let c = coefficients
  let scale = Lanes(repeating: c.gradientScale)
  let decay1 = Lanes(repeating: c.beta1)
  let decay2 = Lanes(repeating: c.beta2)
  let rest1 = Lanes(repeating: 1 - c.beta1)
  let rest2 = Lanes(repeating: 1 - c.beta2)
  let epsilon = Lanes(repeating: c.epsilon)
  let correction = Lanes(repeating: c.secondMomentCorrection)
  let step = Lanes(repeating: c.stepSize)
  let kept = Lanes(repeating: keeping)
  let whole = count / laneCount * laneCount
  for i in stride(from: 0, to: whole, by: laneCount) {
    let scaled = unsafe g.lanes(i) * scale
    let first = unsafe (m.lanes(i) * decay1).addingProduct(scaled, rest1)
    let second = unsafe (v.lanes(i) * decay2).addingProduct(scaled * scaled, rest2)
    let denominator = epsilon.addingProduct(second.root(), correction)
    unsafe m.store(first, i)
    unsafe v.store(second, i)
    unsafe theta.store(theta.lanes(i) * kept - first * step / denominator, i)
  }
  for i in whole..<count {
    let scaled = unsafe g[i] * c.gradientScale
    let first = unsafe (m[i] * c.beta1).addingProduct(scaled, 1 - c.beta1)
    let second = unsafe (v[i] * c.beta2).addingProduct(scaled * scaled, 1 - c.beta2)
    let denominator = c.epsilon.addingProduct(second.squareRoot(), c.secondMomentCorrection)
    unsafe m[i] = first
    unsafe v[i] = second
    unsafe theta[i] = theta[i] * keeping - first * c.stepSize / denominator
  }
}
