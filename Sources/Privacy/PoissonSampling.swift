/// Poisson sampling: each sample is in the batch of a step with probability q, independently of the others. A pure
/// function of (source, step, sample), so it does not depend on the number of ranks.
///
/// A sample is in if its 64 random bits, as a number, are below ⌊q·2⁶⁴⌋. So the probability is q rounded down to a
/// multiple of 2⁻⁶⁴, never more than what an accountant is told; with q = 1 all are in, with q = 0 none.
///
/// The batch of a step has a binomial size: it may be empty, and the mean gradient must be divided by the expected size,
/// q times the number of samples, not by the actual one, which is itself private. The privacy that sampling earns also
/// needs the choice to be secret: take ``RandomSource/secret(_:)``, as for the noise.
public struct PoissonSampling: Sendable {
  /// q.
  public let rate: Double
  /// The origin of the choices.
  public let source: RandomSource
  /// ⌊q·2⁶⁴⌋; nil if q is 1.
  private let threshold: UInt64?

  /// Throws if the rate is not from 0 to 1.
  public init(rate: Double, source: RandomSource) throws(PrivacyError) {
    guard rate >= 0 && rate <= 1 else { throw PrivacyError("sample rate \(rate) is not from 0 to 1") }
    self.rate = rate
    self.source = source
    threshold = rate < 1 ? UInt64(rate * 0x1p64) : nil
  }

  /// Whether `sample`, below 2⁵⁷, is in the batch of `step`.
  public func isIncluded(_ sample: UInt64, step: UInt64) -> Bool {
    var words = WordStream(source, .sampling, step: step)
    return isBelowThreshold(words.word(at: sample))
  }

  /// The samples of `range`, at least 0 and below 2⁵⁷, that are in the batch of `step`, in rising order: the same as
  /// ``isIncluded(_:step:)`` says of each, in less time.
  public func batch(of range: Range<Int>, step: UInt64) -> [Int] {
    precondition(range.lowerBound >= 0, "samples \(range)")
    var words = WordStream(source, .sampling, step: step)
    return range.filter { isBelowThreshold(words.word(at: UInt64($0))) }
  }

  private func isBelowThreshold(_ word: UInt64) -> Bool { threshold.map { word < $0 } ?? true }
}
