import Kernels
import Testing

@Suite struct AveragesTests {
  @Test(arguments: [1, 7, 8, 16, 19, 50])
  func averagesAgainstDouble(count: Int) {
    let (values, averages) = (noise(count, seed: 1), noise(count, seed: 2))
    let expected = (0..<count).map { 0.75 * Double(averages[$0]) + 0.25 * Double(values[$0]) }
    average(values, into: averages, keeping: 0.75)
    #expect(distance(averages, expected) < 1e-7)
  }

  /// A frozen parameter is its own average, to the bit.
  @Test func equalValuesStay() {
    let (values, averages) = (noise(50, seed: 3), noise(50, seed: 3))
    for _ in 0..<5 { average(values, into: averages, keeping: 0.999) }
    #expect(bits(averages) == bits(values))
  }

  /// Slices may be cut anywhere.
  @Test func anyCutMakesTheSameBits() {
    let values = noise(50, seed: 4)
    let whole = noise(50, seed: 5)
    average(values, into: whole, keeping: 0.9)
    for cut in 0...50 {
      let parts = noise(50, seed: 5)
      average(values[0..<cut], into: parts[0..<cut], keeping: 0.9)
      average(values[cut..<50], into: parts[cut..<50], keeping: 0.9)
      #expect(bits(parts) == bits(whole))
    }
  }
}
