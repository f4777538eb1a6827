import Privacy
import Tensors
import Testing

@Suite struct WordVectorTests {
  /// Words of no pattern, whose bits are also those of numbers that are not finite.
  private func words(_ count: Int) -> WordVector {
    var words = WordVector(count: count)
    for index in 0..<count { words[index] = UInt32(truncatingIfNeeded: 0xFF80_0001 &+ index &* 0x9E37_79B1) }
    return words
  }

  @Test func bytesAndBitsGiveTheSameWords() {
    for count in 0...40 {
      let words = words(count)
      let bytes = words.littleEndianBytes
      #expect(bytes.count == 4 * count)
      #expect(WordVector(littleEndian: bytes).array == words.array)
      let floats = Buffer<Float>(count: count)
      words.writeBits(floats)
      #expect(WordVector(bits: floats).array == words.array)
    }
  }

  @Test func theLastWordOfBytesIsFilledWithZeros() {
    #expect(WordVector(littleEndian: [1, 2, 3, 4, 5]).array == [0x0403_0201, 5])
    #expect(WordVector(littleEndian: [1, 2, 3, 4, 5, 6, 7]).array == [0x0403_0201, 0x0007_0605])
  }

  @Test func aMaskTakenOffLeavesTheWords() {
    let key = MaskKey(SIMD8(1, 2, 3, 4, 5, 6, 7, 8))
    for count in [1, 15, 16, 17, 255, 256, 257, 600] {
      var masked = words(count)
      masked.add(key)
      #expect(masked.array != words(count).array)
      masked.subtract(key)
      #expect(masked.array == words(count).array)
    }
  }

  @Test func valuesAreRoundedDownFromADrawAndClipped() {
    let values = Buffer<Float>(count: 5)
    for (index, value) in [0.5, -3, 100, -100, .nan].enumerated() { values[index] = Float(value) }
    var words = WordVector(count: 6)
    words[5] = 77
    var random = Philox(seed: 1, purpose: Philox.Purpose(rawValue: 61), stream: 0)
    #expect(words.setFirst(values, factor: 2, bound: 8, middle: 8, &random) == 4)
    // Whole levels stay whole; the draw is below one.
    #expect(words.array == [9, 2, 16, 0, 0, 77])
    let back = Buffer<Float>(count: 4)
    words.writeFirst(less: 8, times: 1, over: 2, to: back)
    #expect(back.array == [0.5, -3, 4, -4])
  }
}
