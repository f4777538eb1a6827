import Tensors

/// The origin of random words that are a pure function of (key, purpose, step, index). So a number depends on its place,
/// never on the rank that draws it or on the order of draws.
public enum RandomSource: Sendable {
  /// Philox4x32-10, keyed by the run's seed: the same run again has the same numbers.
  ///
  /// Such noise protects nobody from who knows or guesses the seed, and Philox is no cipher. It is for tests and for
  /// experiments whose weights are not published.
  case reproducible(seed: UInt64)
  /// ChaCha20: numbers that nobody without the key can predict or take off again.
  case secret(SecretKey)
}

/// The words of one step for one purpose, 64 bits each, at any index below 2⁵⁷.
///
/// The layout of the counter, the same for both generators:
///
/// | word | holds |
/// |---|---|
/// | 0 | the block, its low 32 bits |
/// | 1 | the purpose in the low 8 bits, the block's upper 24 bits above |
/// | 2, 3 | the step, low half first |
///
/// A block of Philox has two words of 64 bits, one of ChaCha20 has eight; the lower half of a word comes first.
struct WordStream {
  /// The purpose of the words. No two share a counter. The other purposes of Lockstep's Philox streams have other numbers.
  enum Purpose: UInt32 {
    case sampling = 40
    case noise = 41
  }

  private let source: RandomSource
  private let purpose: Purpose
  private let step: UInt64
  /// The last block that was drawn, and its number.
  private var block = SIMD8<UInt64>()
  private var blockNumber: UInt64?

  init(_ source: RandomSource, _ purpose: Purpose, step: UInt64) {
    (self.source, self.purpose, self.step) = (source, purpose, step)
  }

  /// The word at `index`. Neighbours cost little: the block that holds them is kept.
  mutating func word(at index: UInt64) -> UInt64 {
    precondition(index < 1 << 57, "a step has no random word \(index)")
    switch source {
    case .reproducible(let seed):
      if blockNumber != index / 2 {
        let key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        let words = Philox.hash(counter: counter(index / 2), key: key)
        block.lowHalf.lowHalf = SIMD2(joined(words[0], words[1]), joined(words[2], words[3]))
        blockNumber = index / 2
      }
      return block[Int(index % 2)]
    case .secret(let key):
      if blockNumber != index / 8 {
        let words = ChaCha20.block(key: key.vector, counter: counter(index / 8))
        for lane in 0..<8 { block[lane] = joined(words[2 * lane], words[2 * lane + 1]) }
        blockNumber = index / 8
      }
      return block[Int(index % 8)]
    }
  }

  private func counter(_ block: UInt64) -> SIMD4<UInt32> {
    SIMD4(
      UInt32(truncatingIfNeeded: block), purpose.rawValue | UInt32(truncatingIfNeeded: block >> 32) << 8,
      UInt32(truncatingIfNeeded: step), UInt32(truncatingIfNeeded: step >> 32))
  }

  private func joined(_ low: UInt32, _ high: UInt32) -> UInt64 { UInt64(high) << 32 | UInt64(low) }
}
