/// Gaussian noise for vectors: element i of step t gets a normal number that is a pure function of (source, t, i). So the
/// noise of a vector has the same bits however it is cut into slices and shared among ranks, and on every machine.
///
/// Elements 2k and 2k + 1 get the two numbers of `normalPair(radius:angle:)` from the step's words 2k and 2k + 1.
///
/// **Attacks on floating-point noise** (Mironov 2012; Jin et al. 2022, arXiv 2112.05307). A sum of a value and naively
/// rounded noise can only be one of a set of numbers that depends on the value, and its lowest bits give the value away.
/// Here the sum is formed in Double and rounded to a multiple of about 2⁻²⁰ of the standard deviation, the same for all
/// values: every multiple within a few deviations is reached from some 2³⁰ noise values, whatever the value was. Rounding
/// is post-processing and costs no privacy. This makes the probabilities equal to about 2⁻³⁰ of themselves; it is an
/// estimate, not a proof, and no exact discrete Gaussian. Opacus' `secure_mode` sums four normal numbers instead
/// (Holohan & Braghin 2021, arXiv 2107.10138). Not dealt with: the time that a draw takes, and what rounding in the
/// gradients' own sum adds to its sensitivity (Casacuberta et al. 2022, arXiv 2207.10635).
///
/// The noise of a step must never be added to two different vectors: their difference would be free of noise. A run that
/// resumes with a reproducible source must repeat its steps exactly; with a secret one it draws a new key.
public struct GaussianNoise: Sendable {
  /// The origin of the noise.
  public let source: RandomSource

  /// Noise from `source`.
  public init(source: RandomSource) { self.source = source }

  /// The standard normal number of `element` at `step`. The largest is 9.49.
  public func standardNormal(step: UInt64, element: UInt64) -> Double {
    var words = WordStream(source, .noise, step: step)
    return Self.pair(&words, element / 2)[Int(element % 2)]
  }

  /// Adds noise of `standardDeviation` to `values`, which are the elements from `offset` on of the vector of `step`.
  ///
  /// The sums are rounded to a multiple of 2^(e − 20), with 2^e ≤ `standardDeviation` < 2^(e + 1), and then to Float. A
  /// deviation of 0 changes nothing; it must be neither negative nor infinite, and at least 2⁻¹⁰⁰ if not 0.
  public func add(
    to values: inout MutableSpan<Float>, standardDeviation: Double, step: UInt64, offset: UInt64 = 0
  ) {
    precondition(
      standardDeviation == 0 || (standardDeviation >= 0x1p-100 && standardDeviation.isFinite),
      "a standard deviation of \(standardDeviation)")
    guard standardDeviation > 0 else { return }
    let grid = Grid(standardDeviation: standardDeviation)
    var words = WordStream(source, .noise, step: step)
    var index = 0
    // The second number of a pair whose first belongs to the slice before.
    if offset % 2 == 1 && values.count > 0 {
      values[0] = grid.sum(values[0], standardDeviation * Self.pair(&words, offset / 2).y)
      index = 1
    }
    while index + 1 < values.count {
      let pair = standardDeviation * Self.pair(&words, (offset + UInt64(index)) / 2)
      values[index] = grid.sum(values[index], pair.x)
      values[index + 1] = grid.sum(values[index + 1], pair.y)
      index += 2
    }
    if index < values.count {
      values[index] = grid.sum(
        values[index], standardDeviation * Self.pair(&words, (offset + UInt64(index)) / 2).x)
    }
  }

  /// ``add(to:standardDeviation:step:offset:)-(MutableSpan<Float>,_,_,_)`` for an array.
  public func add(to values: inout [Float], standardDeviation: Double, step: UInt64, offset: UInt64 = 0) {
    var span = values.mutableSpan
    add(to: &span, standardDeviation: standardDeviation, step: step, offset: offset)
  }

  private static func pair(_ words: inout WordStream, _ number: UInt64) -> SIMD2<Double> {
    normalPair(radius: words.word(at: 2 * number), angle: words.word(at: 2 * number + 1))
  }
}

/// The multiples of a power of two, 2⁻²⁰ to 2⁻²¹ of a standard deviation.
private struct Grid {
  let spacing, inverse: Double

  init(standardDeviation: Double) {
    spacing = Double(sign: .plus, exponent: standardDeviation.exponent - 20, significand: 1)
    inverse = 1 / spacing
  }

  /// The multiple next to `value + noise`, as a Float.
  func sum(_ value: Float, _ noise: Double) -> Float {
    Float(((Double(value) + noise) * inverse).rounded(.toNearestOrEven) * spacing)
  }
}
