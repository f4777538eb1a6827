import Primitives

/// A stream of random words that is a pure function of (seed, purpose, stream): Philox4x32-10.
///
/// Word `i` of a stream is the hash of `i`: the generator has no state that one rank could advance further than
/// another. So a random number depends on its purpose and place, never on the rank that draws it or on the order of
/// draws.
///
/// The layout of key and counter:
///
/// | word | holds |
/// |---|---|
/// | key 0, 1 | the seed, low half first |
/// | counter 0 | the block: four words of the stream, counted from 0 |
/// | counter 1 | the purpose |
/// | counter 2, 3 | the stream, low half first: the epoch, or the step, or `step << 32 \| sample` |
///
/// Two streams that differ in seed, purpose or stream never share a counter and key. A stream ends after 2³² blocks
/// (64 GiB); reading past it is a programming error.
///
/// It is not a `RandomNumberGenerator` on purpose: the standard library does not promise that it will always turn words
/// into floats and bounded integers in the same way, and a run must be repeatable with next year's compiler.
///
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
@frozen
public struct Philox: Sendable {
  /// The purpose of a stream. Two purposes share no words. Other modules add theirs with `init(rawValue:)`.
  @frozen
  public struct Purpose: RawRepresentable, Hashable, Sendable {
    /// The number in the counter. It is part of the file format: a change of it changes every run.
    public let rawValue: UInt32

    /// The purpose numbered `rawValue`.
    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The first values of the parameters; the stream is the parameter's index.
    public static var initialisation: Purpose { Purpose(rawValue: 1) }
    /// The order of an epoch's samples; the stream is the epoch.
    public static var order: Purpose { Purpose(rawValue: 2) }
    /// The units that dropout sets to zero.
    public static var dropout: Purpose { Purpose(rawValue: 3) }
    /// The shift, turn or reflection of a sample.
    public static var augmentation: Purpose { Purpose(rawValue: 4) }
    /// The pixels that become 1; the stream is the place of the sample in the run or, in an evaluation, its number.
    public static var binarisation: Purpose { Purpose(rawValue: 8) }
    /// The pixels of an image that a network draws; the stream is the image's number.
    public static var generation: Purpose { Purpose(rawValue: 9) }
    /// The patches of an image that are hidden; the stream is as that of ``binarisation``.
    public static var hiding: Purpose { Purpose(rawValue: 10) }
    /// The partner of a sample that is mixed, and its share.
    public static var mixing: Purpose { Purpose(rawValue: 12) }
    /// What is added to an input that is explained; the stream is the number of the noisy copy.
    public static var explanation: Purpose { Purpose(rawValue: 32) }
    /// The order in which parts of an input are given for its explanation; the stream is the order's number.
    public static var coalition: Purpose { Purpose(rawValue: 33) }
    /// The weights of samples in the replicates of a bootstrap; the stream is the replicate's number.
    public static var bootstrap: Purpose { Purpose(rawValue: 24) }
    /// The choice of the samples that are trained on, and of those set aside for validation.
    public static var partition: Purpose { Purpose(rawValue: 16) }
    /// The rows of a table that are tested on.
    public static var split: Purpose { Purpose(rawValue: 20) }
  }

  @usableFromInline let key: SIMD2<UInt32>
  /// The counter of the next block.
  @usableFromInline var counter: SIMD4<UInt32>
  /// The block that is being read, and the number of its words that are still unread.
  @usableFromInline var block = SIMD4<UInt32>()
  @usableFromInline var unread = 0
  /// Whether counter 0 has wrapped: every later block would repeat the stream's beginning.
  @usableFromInline var exhausted = false

  /// The beginning of the stream for `seed`, `purpose` and `stream`.
  @inlinable
  public init(seed: UInt64, purpose: Purpose, stream: UInt64) {
    key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    counter = SIMD4(
      0, purpose.rawValue, UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32))
  }

  /// Ten rounds of Philox4x32: a bijection on the 2¹²⁸ counters for each key.
  ///
  /// The constants are the paper's: two multipliers, and the golden ratio and √3 − 1 as the key's increments.
  @inlinable
  public static func hash(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (c0, c1, c2, c3) = (counter[0], counter[1], counter[2], counter[3])
    var (k0, k1) = (key[0], key[1])
    for _ in 0..<10 {
      let first = UInt64(c0) &* 0xD251_1F53
      let second = UInt64(c2) &* 0xCD9E_8D57
      c0 = UInt32(truncatingIfNeeded: second >> 32) ^ c1 ^ k0
      c1 = UInt32(truncatingIfNeeded: second)
      c2 = UInt32(truncatingIfNeeded: first >> 32) ^ c3 ^ k1
      c3 = UInt32(truncatingIfNeeded: first)
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return SIMD4(c0, c1, c2, c3)
  }

  /// The next 32 random bits.
  @inlinable
  public mutating func next() -> UInt32 {
    if unread == 0 {
      precondition(!exhausted, "a Philox stream ends after 2^32 blocks")
      block = Self.hash(counter: counter, key: key)
      counter[0] &+= 1
      exhausted = counter[0] == 0
      unread = 4
    }
    let word = block[4 - unread]
    unread -= 1
    return word
  }

  /// Fills `words` with the next words, eight blocks at once. Skips the unread words of the current block.
  /// `words.count` must be a multiple of ``groupCount``.
  public mutating func fill(_ words: Buffer<UInt32>) {
    guard words.count > 0 else { return }
    precondition(!exhausted, "a Philox stream ends after 2^32 blocks")
    philoxWords(counter: counter, key: key, into: words)
    counter[0] &+= UInt32(truncatingIfNeeded: words.count / 4)
    exhausted = counter[0] == 0
    unread = 0
  }

  /// The number of words that ``fill(_:)`` draws at once.
  public static var groupCount: Int { philoxGroup }

  /// The next number in `[0, 1)`, from the upper 24 bits of one word: all multiples of 2⁻²⁴ are equally likely.
  @inlinable
  public mutating func nextUniform() -> Float { Float(next() >> 8) * 0x1p-24 }

  /// The next integer in `0..<bound`, all exactly equally likely. `bound` must be at least 1.
  ///
  /// Takes one word, and seldom more: a word that would favour some results is drawn again. Source: Lemire, "Fast
  /// Random Integer Generation in an Interval", ACM TOMACS 29(1), 2019.
  @inlinable
  public mutating func next(below bound: UInt32) -> UInt32 {
    precondition(bound > 0, "no integer lies below 0")
    var product = UInt64(next()) &* UInt64(bound)
    if UInt32(truncatingIfNeeded: product) < bound {
      // 2³² mod bound: the number of low halves that must be drawn again.
      let surplus = (0 &- bound) % bound
      while UInt32(truncatingIfNeeded: product) < surplus { product = UInt64(next()) &* UInt64(bound) }
    }
    return UInt32(truncatingIfNeeded: product >> 32)
  }
}
