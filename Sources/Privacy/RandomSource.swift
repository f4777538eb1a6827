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
  /// The words from `first` on, a multiple of their count.
  private var words = InlineArray<128, UInt64> { _ in 0 }
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
    return words[Int(index &- first)]
  }

  private mutating func fill() {
    switch source {
    case .reproducible(let seed):
      let key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
      for group in 0..<8 {
        let (front, back) = Philox.words(counter: counter(first / 2 + 8 * UInt64(group)), key: key)
        for block in 0..<8 {
          words[16 * group + 2 * block] = front[block]
          words[16 * group + 2 * block + 1] = back[block]
        }
      }
    case .secret(let key):
      let rows = ChaCha20.blocks(key: key.vector, counter: counter(first / 8))
      for pair in 0..<8 {
        let (low, high) = (rows[2 * pair], rows[2 * pair + 1])
        for block in 0..<16 { words[8 * block + pair] = UInt64(high[block]) << 32 | UInt64(low[block]) }
      }
    }
  }

  private func counter(_ block: UInt64) -> SIMD4<UInt32> {
    SIMD4(
      UInt32(truncatingIfNeeded: block), purpose.rawValue | UInt32(truncatingIfNeeded: block >> 32) << 8,
      UInt32(truncatingIfNeeded: step), UInt32(truncatingIfNeeded: step >> 32))
  }
}

extension Philox {
  /// The words of eight blocks from `counter` on, 64 bits each: the first word of each block, and the second. The low half of the counter's
  /// first word must not run over.
  fileprivate static func words(
    counter: SIMD4<UInt32>, key: SIMD2<UInt32>
  ) -> (front: SIMD8<UInt64>, back: SIMD8<UInt64>) {
    // As in `philoxWords`: words of 32 bits in lanes of 64, for products of 64. The compiler finds the fast product by the masks.
    let (low, shift) = (SIMD8<UInt64>(repeating: 0xFFFF_FFFF), SIMD8<UInt64>(repeating: 32))
    var c0 = SIMD8<UInt64>(0, 1, 2, 3, 4, 5, 6, 7) &+ SIMD8(repeating: UInt64(counter[0]))
    var c1 = SIMD8<UInt64>(repeating: UInt64(counter[1]))
    var c2 = SIMD8<UInt64>(repeating: UInt64(counter[2]))
    var c3 = SIMD8<UInt64>(repeating: UInt64(counter[3]))
    var (k0, k1) = (key[0], key[1])
    for _ in 0..<10 {
      let first = (c0 & low) &* SIMD8(repeating: 0xD251_1F53)
      let second = (c2 & low) &* SIMD8(repeating: 0xCD9E_8D57)
      c0 = (second &>> shift) ^ c1 ^ SIMD8(repeating: UInt64(k0))
      c1 = second & low
      c2 = (first &>> shift) ^ c3 ^ SIMD8(repeating: UInt64(k1))
      c3 = first & low
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (c0 | (c1 &<< shift), c2 | (c3 &<< shift))
  }
}
