import Primitives
import Vectors

/// The constants of one step of gradient descent, worked out once for all elements.
public struct SGDCoefficients: Sendable {
  /// The factor of the summed gradient: 1 / samples.
  public var gradientScale: Float
  /// λ.
  public var weightDecay: Float
  /// μ.
  public var momentum: Float
  /// Whether the step looks ahead by the momentum (Nesterov).
  public var isNesterov: Bool
  /// α.
  public var stepSize: Float

  /// The constants of one step.
  public init(gradientScale: Float, weightDecay: Float, momentum: Float, isNesterov: Bool, stepSize: Float) {
    self.gradientScale = gradientScale
    self.weightDecay = weightDecay
    self.momentum = momentum
    self.isNesterov = isNesterov
    self.stepSize = stepSize
  }
}

/// One step of gradient descent without momentum over flat memory; both buffers have the same count.
///
///     θ = θ − α · (gradientScale · gradient + λ·θ)
public func sgdStep(parameters: Buffer<Float>, gradient: Buffer<Float>, _ coefficients: SGDCoefficients) {
  let count = parameters.count
  precondition(gradient.count == count, "SGD on buffers of different counts")
  let theta = unsafe parameters.base
  let g = unsafe UnsafePointer(gradient.base)
  let c = coefficients
  let scale = Lanes(repeating: c.gradientScale)
  let decay = Lanes(repeating: c.weightDecay)
  let step = Lanes(repeating: c.stepSize)
  let whole = count / laneCount * laneCount
  for i in stride(from: 0, to: whole, by: laneCount) {
    let old = unsafe theta.lanes(i)
    let slope = unsafe (g.lanes(i) * scale).addingProduct(old, decay)
    unsafe theta.store(old - slope * step, i)
  }
  for i in whole..<count {
    let slope = unsafe (g[i] * c.gradientScale).addingProduct(theta[i], c.weightDecay)
    unsafe theta[i] -= slope * c.stepSize
  }
}

/// One step of gradient descent with momentum over flat memory in one pass; all three buffers have the same count.
///
///     g = gradientScale · gradient + λ·θ
///     b = μ·b + g
///     θ = θ − α·b            with Nesterov's momentum θ − α·(g + μ·b)
///
/// Numbers below 2⁻¹²⁶ count as zero, as in Adam's step.
public func momentumStep(
  parameters: Buffer<Float>, gradient: Buffer<Float>, momentum: Buffer<Float>, _ coefficients: SGDCoefficients
) {
  let count = parameters.count
  precondition(gradient.count == count && momentum.count == count, "momentum on buffers of different counts")
  let theta = unsafe parameters.base
  let g = unsafe UnsafePointer(gradient.base)
  let b = unsafe momentum.base
  let c = coefficients
  let flushed = FlushedDenormals()
  defer { flushed.end() }
  let scale = Lanes(repeating: c.gradientScale)
  let decay = Lanes(repeating: c.weightDecay)
  let rest = Lanes(repeating: c.momentum)
  let step = Lanes(repeating: c.stepSize)
  let whole = count / laneCount * laneCount
  for i in stride(from: 0, to: whole, by: laneCount) {
    let old = unsafe theta.lanes(i)
    let slope = unsafe (g.lanes(i) * scale).addingProduct(old, decay)
    let speed = unsafe slope.addingProduct(b.lanes(i), rest)
    unsafe b.store(speed, i)
    unsafe theta.store(old - (c.isNesterov ? slope.addingProduct(speed, rest) : speed) * step, i)
  }
  for i in whole..<count {
    let slope = unsafe (g[i] * c.gradientScale).addingProduct(theta[i], c.weightDecay)
    let speed = unsafe slope.addingProduct(b[i], c.momentum)
    unsafe b[i] = speed
    unsafe theta[i] -= (c.isNesterov ? slope.addingProduct(speed, c.momentum) : speed) * c.stepSize
  }
}
