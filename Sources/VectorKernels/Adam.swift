import Primitives
import Vectors

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
/// Numbers below 2⁻¹²⁶ count as zero, and become zero (``FlushedDenormals``): there the moments of a weight without a gradient, such as
/// that of a pixel that is always black, end after some hundred steps, and multiplying them would take a hundred times as long.
///
/// - Parameters:
///   - parameters: θ.
///   - gradient: the gradient, summed over the samples.
///   - firstMoment: m.
///   - secondMoment: v.
///   - coefficients: the constants of the step.
///   - keeping: the factor of a parameter before its step, 1 − α·λ with decoupled weight decay (Loshchilov & Hutter 2019,
///     Algorithm 2); nil for 1.
///   - shown: where the new parameters are written as well, for other cores to read; nil for nowhere else. These cores have the lines, and
///     the stores wait for them while the divisions go on: a copy afterwards takes longer.
public func adamStep(
  parameters: Buffer<Float>, gradient: Buffer<Float>, firstMoment: Buffer<Float>, secondMoment: Buffer<Float>,
  _ coefficients: AdamCoefficients, keeping: Float? = nil, showing shown: Buffer<Float>? = nil
) {
  let count = parameters.count
  precondition(
    gradient.count == count && firstMoment.count == count && secondMoment.count == count
      && (shown ?? parameters).count == count, "Adam on buffers of different counts")
  let theta = unsafe parameters.base
  let copy = unsafe shown?.base
  let directions = AdamDirections(gradient, firstMoment, secondMoment, coefficients)
  let flushed = FlushedDenormals()
  defer { flushed.end() }
  @inline(__always)
  func write(_ results: Lanes, _ i: Int, _ width: Int) {
    unsafe theta.store(results, i, first: width)
    if let copy = unsafe copy { unsafe copy.store(results, i, first: width) }
  }
  // A loop for each, so that one without decay multiplies no more than it must.
  if let keeping {
    let kept = Lanes(repeating: keeping)
    @inline(__always)
    func vector(_ i: Int, _ width: Int) {
      write(unsafe theta.lanes(i, first: width) * kept - directions.next(i, width), i, width)
    }
    forEachVector(of: count, vector)
  } else {
    @inline(__always)
    func vector(_ i: Int, _ width: Int) {
      write(unsafe theta.lanes(i, first: width) - directions.next(i, width), i, width)
    }
    forEachVector(of: count, vector)
  }
}

/// What Adam and LAMB have in common: the moments, and the direction that they give.
@safe struct AdamDirections {
  private let g: UnsafePointer<Float>
  private let m: UnsafeMutablePointer<Float>
  private let v: UnsafeMutablePointer<Float>
  private let scale: Lanes
  private let decay1: Lanes
  private let decay2: Lanes
  private let rest1: Lanes
  private let rest2: Lanes
  private let epsilon: Lanes
  private let correction: Lanes
  private let step: Lanes

  init(
    _ gradient: Buffer<Float>, _ firstMoment: Buffer<Float>, _ secondMoment: Buffer<Float>, _ c: AdamCoefficients
  ) {
    unsafe g = UnsafePointer(gradient.base)
    unsafe m = firstMoment.base
    unsafe v = secondMoment.base
    scale = Lanes(repeating: c.gradientScale)
    decay1 = Lanes(repeating: c.beta1)
    decay2 = Lanes(repeating: c.beta2)
    rest1 = Lanes(repeating: 1 - c.beta1)
    rest2 = Lanes(repeating: 1 - c.beta2)
    epsilon = Lanes(repeating: c.epsilon)
    correction = Lanes(repeating: c.secondMomentCorrection)
    step = Lanes(repeating: c.stepSize)
  }

  /// Moves the first `width` moments at `i` by one step; `stepSize · m / (√v · secondMomentCorrection + ε)` of these.
  @inline(always)
  func next(_ i: Int, _ width: Int) -> Lanes {
    let scaled = unsafe g.lanes(i, first: width) * scale
    let first = unsafe (m.lanes(i, first: width) * decay1).addingProduct(scaled, rest1)
    let second = unsafe (v.lanes(i, first: width) * decay2).addingProduct(scaled * scaled, rest2)
    unsafe m.store(first, i, first: width)
    unsafe v.store(second, i, first: width)
    return first * step / epsilon.addingProduct(second.root(), correction)
  }
}
