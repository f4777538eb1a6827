import Kernels
import Testing

@Suite struct BFloat16Tests {
  /// Ties, the largest and the least numbers, infinities, and any; at every place of a vector and behind it.
  @Test func `Floats are rounded to nearest even`() {
    let edges: [UInt32] = [
      0, 1, 0x7FFF, 0x8000, 0x8001, 0x1_8000, 0x7F_FFFF, 0x80_0000, 0x3F80_0000, 0x3F80_7FFF, 0x3F80_8000, 0x3F81_8000,
      0x3F80_8001, 0x3F80_FFFF, 0x7F7F_0000, 0x7F7F_7FFF, 0x7F7F_8000, 0x7F7F_FFFF, 0x7F80_0000,
    ]
    var words = edges.flatMap { [$0, $0 | 0x8000_0000] }
    var state: UInt32 = 1
    for _ in 0..<1000 {
      state = state &* 1_664_525 &+ 1_013_904_223
      words.append(state)
    }
    let all = Buffer(words.map(Float.init(bitPattern:)).filter { !$0.isNaN })
    for count in Array(0...40) + [all.count] {
      let source = all.prefix(count)
      let destination = filled(count + 1, with: 7)
      roundToBFloat16(source, into: destination.prefix(count))
      #expect(bits(destination) == source.array.map { rounded($0).bitPattern } + [Float(7).bitPattern])
      let inPlace = Buffer(source.array)
      roundToBFloat16(inPlace, into: inPlace)
      #expect(bits(inPlace) == bits(destination).dropLast())
    }
  }

  @Test func `A NaN stays one, and what is rounded stays as it is`() {
    let strange = Buffer([0x7F80_0001, 0xFF80_0001, 0x7FC0_0000, 0x7FFF_FFFF].map { Float(bitPattern: $0) })
    roundToBFloat16(strange, into: strange)
    #expect(strange.array.allSatisfy { $0.isNaN && $0.bitPattern & 0xFFFF == 0 })
    let once = noise(100, seed: 1)
    roundToBFloat16(once, into: once)
    let twice = Buffer(once.array)
    roundToBFloat16(twice, into: twice)
    #expect(bits(twice) == bits(once))
    #expect(once.array != noise(100, seed: 1).array)
  }

  @Test func `Denormal numbers are zero while they are flushed, and no longer`() {
    let least = Buffer<Float>([.leastNormalMagnitude, -.leastNormalMagnitude, .leastNonzeroMagnitude, 1])
    let half = Buffer<Float>([0.5])
    func halves() -> [Float] { least.array.map { $0 * half[0] } }
    let plain: [Float] = [0x1p-127, -0x1p-127, 0, 0.5]
    #expect(halves() == plain)
    let flushed = FlushedDenormals()
    let (found, sum) = (halves(), least[2] + least[2])
    let within = FlushedDenormals()
    within.end()
    let after = halves()
    flushed.end()
    #expect(found == [0, 0, 0, 0.5] && found[1].sign == .minus)
    #expect(sum == 0)
    #expect(after == found)
    #expect(halves() == plain && least[2] + least[2] == 0x1p-148)
  }
}
