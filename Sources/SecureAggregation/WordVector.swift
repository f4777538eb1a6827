import Privacy

/// Words of 32 bits in whole vectors of 16, of which the last may have some too many. Sums wrap around at 2³².
struct WordVector: Sendable {
  /// The number of words.
  let count: Int
  private(set) var rows: [SIMD16<UInt32>]

  /// Zeros.
  init(count: Int) {
    self.count = count
    rows = [SIMD16<UInt32>](repeating: SIMD16(), count: (count + 15) / 16)
  }

  subscript(index: Int) -> UInt32 {
    get { rows[index / 16][index % 16] }
    set { rows[index / 16][index % 16] = newValue }
  }

  /// The words.
  var array: [UInt32] { (0..<count).map { self[$0] } }

  /// Adds the words of `other`, which must be as many.
  mutating func add(_ other: WordVector) {
    precondition(other.count == count, "\(other.count) words meet \(count)")
    var mine = rows.mutableSpan
    let theirs = other.rows.span
    for row in mine.indices { mine[row] &+= theirs[row] }
  }

  /// Adds the mask of `key`.
  mutating func add(_ key: MaskKey) { forEachRow(of: key) { $0 &+= $1 } }

  /// Takes the mask of `key` off again.
  mutating func subtract(_ key: MaskKey) { forEachRow(of: key) { $0 &-= $1 } }

  /// A mask's words are those of ChaCha20 under its key with a nonce of zeros, 16 blocks in turn: first the first words of the
  /// sixteen, then the second ones. So no word has to be moved from where it is made.
  @inline(__always)
  private mutating func forEachRow(
    of key: MaskKey, _ body: (inout SIMD16<UInt32>, SIMD16<UInt32>) -> Void
  ) {
    var mine = rows.mutableSpan
    for first in stride(from: 0, to: mine.count, by: 16) {
      let mask = ChaCha20.blocks(key: key.words, counter: SIMD4(UInt32(first), 0, 0, 0))
      for row in 0..<min(16, mine.count - first) { body(&mine[first + row], mask[row]) }
    }
  }
}

/// The key from which both who put a mask on and who takes it off expand its words. Known to no one else.
struct MaskKey: Sendable {
  let words: SIMD8<UInt32>

  /// The mask between two clients of a round, from what they agreed on. The lower client adds it, the other one subtracts it.
  static func pair(agreed secret: [UInt8], _ setup: AggregationSetup, _ one: Int, _ other: Int) -> MaskKey {
    let purpose = setup.purpose("pairwise mask", min(one, other), max(one, other))
    return MaskKey(words: SIMD8(littleEndian: LibCrypto.derived(from: secret, purpose: purpose)))
  }

  /// The mask that a client puts on alone.
  static func own(seed: [UInt8], _ setup: AggregationSetup, _ client: Int) -> MaskKey {
    MaskKey(
      words: SIMD8(littleEndian: LibCrypto.derived(from: seed, purpose: setup.purpose("self mask", client))))
  }
}
