import Primitives
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

  /// The words that are made at once.
  private static let count: UInt64 = 128

  private let source: RandomSource
  private let purpose: Purpose
  private let step: UInt64
  /// The words from `first` on, a multiple of their count: two halves each, the lower one first.
  private let halves = Buffer<UInt32>(count: 2 * Int(count))
  /// At first so large that no index is among the words.
  private var first: UInt64 = 1 << 63

  init(_ source: RandomSource, _ purpose: Purpose, step: UInt64) {
    (self.source, self.purpose, self.step) = (source, purpose, step)
  }

  /// The word at `index`. Neighbours cost little: they are made together.
  mutating func word(at index: UInt64) -> UInt64 {
    precondition(index < 1 << 57, "a step has no random word \(index)")
    if index &- first >= Self.count {
      first = index / Self.count * Self.count
      fill()
    }
    let place = 2 * Int(index &- first)
    return UInt64(halves[place + 1]) << 32 | UInt64(halves[place])
  }

  private func fill() {
    switch source {
    case .reproducible(let seed):
      let key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
      philoxWords(counter: counter(first / 2), key: key, into: halves)
    case .secret(let key):
      let rows = ChaCha20.blocks(key: key.vector, counter: counter(first / 8))
      for word in 0..<16 {
        let row = rows[word]
        for block in 0..<16 { halves[16 * block + word] = row[block] }
      }
    }
  }

  private func counter(_ block: UInt64) -> SIMD4<UInt32> {
    SIMD4(
      UInt32(truncatingIfNeeded: block), purpose.rawValue | UInt32(truncatingIfNeeded: block >> 32) << 8,
      UInt32(truncatingIfNeeded: step), UInt32(truncatingIfNeeded: step >> 32))
  }
}
