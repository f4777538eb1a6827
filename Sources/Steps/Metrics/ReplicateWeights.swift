import Tensors

/// How often a sample counts in each replicate of a bootstrap: a draw from the Poisson distribution of mean 1 (Chamandy et al. 2012,
/// "Estimating Uncertainty for Massive Data Streams").
///
/// A weight follows from the seed, the sample's number and the replicate's, so replicates are the same whichever rank counts a sample, and
/// all figures of a replicate are of the same samples.
package struct ReplicateWeights {
  /// The stream of a sample.
  private static let purpose = Philox.Purpose(rawValue: 56)

  /// The weight for a word's upper 12 bits; −1 where the other 20 decide.
  private static let table: [Int8] = (0..<4096).map { top in
    let (first, last) = (weight(of: UInt32(top) << 20), weight(of: UInt32(top) << 20 | 0xFFFFF))
    return first == last ? Int8(first) : -1
  }

  /// ⌊2³² · P(weight ≤ k)⌋ for k = 0, 1, …: a word from the k-th on has a weight above k.
  private static let limits: [UInt32] = {
    // e⁻¹, written down because the C library's exp may differ from host to host.
    var (probability, sum) = (0.367879441171442321595523770161460867, 0.0)
    return (0...11).map { k in
      sum += probability
      probability /= Double(k + 1)
      return UInt32(min(sum * 0x1p32, 0x1p32 - 1))
    }
  }()

  /// The weight that a word stands for.
  package static func weight(of word: UInt32) -> Int { limits.reduce(0) { $0 + (word >= $1 ? 1 : 0) } }

  /// The weights of the sample that was drawn last, one a replicate.
  package private(set) var weights: [Int]
  private let words: Buffer<UInt32>
  private let seed: UInt64

  package init(replicates: Int, seed: UInt64) {
    weights = [Int](repeating: 0, count: replicates)
    let group = Philox.groupCount
    words = Buffer(count: (replicates + group - 1) / group * group)
    self.seed = seed
  }

  /// Adds `value` to the counter at `start`, that of the samples themselves, and as often as the weights say to those behind it, one a
  /// replicate.
  package func add(_ value: Int, to counters: inout [Int], at start: Int) {
    counters[start] &+= value
    for replicate in weights.indices { counters[start + 1 + replicate] &+= value &* weights[replicate] }
  }

  /// Draws the weights of the sample of this number.
  package mutating func draw(_ sample: Int) {
    guard !weights.isEmpty else { return }
    var stream = Philox(seed: seed, purpose: Self.purpose, stream: UInt64(sample))
    stream.fill(words)
    let table = Self.table
    for replicate in weights.indices {
      let word = words[replicate]
      let weight = table[Int(word >> 20)]
      weights[replicate] = weight >= 0 ? Int(weight) : Self.weight(of: word)
    }
  }
}
