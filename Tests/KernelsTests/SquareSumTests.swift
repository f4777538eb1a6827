import Kernels
import Testing

/// Sums of squares that are the same in any order.
@Suite struct SquareSumTests {
  /// Both sums over the parts of two buffers, each part summed by itself, and the parts in this order.
  private static func sums(
    _ left: Buffer<Float>, _ right: Buffer<Float>, _ parts: [Range<Int>], unit: Double = 1
  ) -> [SquareSum] {
    var all = [SquareSum(), SquareSum()]
    for part in parts {
      var (sums, differences) = (SquareSum(), SquareSum())
      addSquares(of: left[part], and: right[part], unit: unit, sums: &sums, differences: &differences)
      all[0].add(SquareSum(words: sums.words[...]))
      all[1].add(differences)
    }
    return all
  }

  @Test(arguments: [0, 1, 7, 8, 9, 1000, 32_768, 70_001])
  func anyCutAndOrderGivesTheSameBits(_ count: Int) {
    let (left, right) = (noise(count, seed: 1), noise(count, seed: 2))
    // Magnitudes of twenty binary orders, so that sums in Double would differ.
    for index in 0..<count { left[index] *= Float(sign: .plus, exponent: index % 21 - 10, significand: 1) }
    let whole = Self.sums(left, right, [0..<count])
    for cuts in [[count / 2], [count / 3, count / 3 * 2], [count / 16 * 4, count / 16 * 5, count / 16 * 13]] {
      let bounds = [0] + cuts + [count]
      let parts = zip(bounds, bounds.dropFirst()).map { $0..<$1 }
      #expect(Self.sums(left, right, parts) == whole)
      #expect(Self.sums(left, right, parts.reversed()) == whole)
    }
    let expected = (0..<count).reduce((0.0, 0.0)) { sums, index in
      let (sum, difference) = (Double(left[index] + right[index]), Double(left[index] - right[index]))
      return (sums.0 + sum * sum, sums.1 + difference * difference)
    }
    #expect(abs(whole[0].units - expected.0) <= 1e-12 * expected.0 + 1e-15)
    #expect(abs(whole[1].units - expected.1) <= 1e-12 * expected.1 + 1e-15)
  }

  /// Very small and very large squares, in units that fit them.
  @Test(arguments: [-60, -20, 0, 20, 60])
  func unitsFitTheNumbers(_ exponent: Int) {
    let size = Float(sign: .plus, exponent: exponent, significand: 1)
    let (left, right) = (noise(100, seed: 1), noise(100, seed: 2))
    let plain = Self.sums(left, right, [0..<100])
    for index in 0..<100 { (left[index], right[index]) = (left[index] * size, right[index] * size) }
    #expect(Self.sums(left, right, [0..<100], unit: Double(size) * Double(size)) == plain)
  }

  @Test func whatDoesNotFitIsNotExact() {
    for bad in [Float.nan, .infinity, 1e12, .greatestFiniteMagnitude] {
      for place in [0, 16, 20] {
        let (left, right) = (noise(21, seed: 1), noise(21, seed: 2))
        left[place] = bad
        let sums = Self.sums(left, right, [0..<16, 16..<21])
        #expect(sums.allSatisfy { !$0.isExact && $0.units.isNaN }, "\(bad) at \(place)")
        // And stays so, whatever is added.
        #expect(!Self.sums(left, right, [16..<21, 0..<16])[0].isExact)
      }
    }
    let (left, right) = (filled(8, with: 4096), filled(8, with: 4096))
    #expect(Self.sums(left, right, [0..<8])[0].units == 8 * 0x1p26)
  }
}
