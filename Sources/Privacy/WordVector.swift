import Tensors

/// Words of 32 bits that are masked and added up. Sums wrap around at 2³².
///
/// All that secure aggregation does for each value of an update is here, since the room of its protocol is not optimised in the program.
/// The words stand in whole vectors of 16, of which the last may have some too many.
package struct WordVector: Sendable {
  /// The number of words.
  package let count: Int
  private var rows: [SIMD16<UInt32>]

  /// Zeros.
  package init(count: Int) {
    self.count = count
    rows = [SIMD16<UInt32>](repeating: SIMD16(), count: (count + 15) / 16)
  }

  package subscript(index: Int) -> UInt32 {
    get { rows[index / 16][index % 16] }
    set { rows[index / 16][index % 16] = newValue }
  }

  /// The words.
  package var array: [UInt32] { (0..<count).map { self[$0] } }

  /// Adds the words of `other`, which must be as many.
  package mutating func add(_ other: WordVector) {
    precondition(other.count == count, "\(other.count) words meet \(count)")
    var mine = rows.mutableSpan
    let theirs = other.rows.span
    for row in mine.indices { mine[row] &+= theirs[row] }
  }
}

/// Masks from keys.
extension WordVector {
  /// Adds the mask of `key`.
  package mutating func add(_ key: MaskKey) { forEachRow(of: key) { $0 &+= $1 } }

  /// Takes the mask of `key` off again.
  package mutating func subtract(_ key: MaskKey) { forEachRow(of: key) { $0 &-= $1 } }

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

/// Conversion from numbers to levels and back.
extension WordVector {
  /// Sets a word for each of `values`, from the first word on, to ⌊v + u⌋ + `middle`: v is the value times `factor`, clipped to ±`bound`, and u
  /// a multiple of 2⁻²⁴, uniform in [0, 1), from `random`.
  ///
  /// Stops at a value that is not finite and returns its index; nil if there is none.
  package mutating func setFirst(
    _ values: Buffer<Float>, factor: Double, bound: Double, middle: Int32, _ random: inout Philox
  ) -> Int? {
    let draws = Buffer<UInt32>(count: 32 * Philox.groupCount)
    for first in stride(from: 0, to: values.count, by: draws.count) {
      random.fill(draws)
      for index in first..<min(first + draws.count, values.count) {
        let value = Double(values[index]) * factor
        guard value.isFinite else { return index }
        let draw = Double(draws[index - first] >> 8) * 0x1p-24
        let level = (min(max(value, -bound), bound) + draw).rounded(.down)
        self[index] = UInt32(Int32(level) + middle)
      }
    }
    return nil
  }

  /// Writes (word − `middle`) · `factor` / `divisor` to each of `values`, from the first word on, rounded once to Double and once to Float.
  package func writeFirst(less middle: Int64, times factor: Int64, over divisor: Double, to values: Buffer<Float>) {
    for index in 0..<values.count {
      values[index] = Float(Double((Int64(self[index]) - middle) * factor) / divisor)
    }
  }
}

/// Conversion from and to floats and bytes.
extension WordVector {
  /// The words whose bits are those of `floats`, which are not read as numbers.
  package init(bits floats: Buffer<Float>) {
    self.init(count: floats.count)
    for index in 0..<count { self[index] = floats[index].bitPattern }
  }

  /// Writes the words' bits to as many floats, which are not to be read as numbers.
  package func writeBits(_ floats: Buffer<Float>) {
    precondition(floats.count == count, "\(count) words go into \(floats.count)")
    for index in 0..<count { floats[index] = Float(bitPattern: self[index]) }
  }

  /// The words of bytes, four a word, the lowest first. Zeros fill up the last word.
  package init(littleEndian bytes: [UInt8]) {
    self.init(count: (bytes.count + 3) / 4)
    for (index, byte) in bytes.enumerated() { self[index / 4] |= UInt32(byte) << UInt32(8 * (index % 4)) }
  }

  /// The words' bytes, four a word, the lowest first.
  package var littleEndianBytes: [UInt8] {
    (0..<4 * count).map { UInt8(truncatingIfNeeded: self[$0 / 4] >> UInt32(8 * ($0 % 4))) }
  }
}
