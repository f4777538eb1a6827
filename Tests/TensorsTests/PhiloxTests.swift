import Tensors
import Testing

@Suite struct PhiloxTests {
  /// Random123's known answers: the lines `philox4x32 10` of its `tests/kat_vectors`.
  @Test func knownAnswers() {
    #expect(
      Philox.hash(counter: SIMD4(repeating: 0), key: SIMD2(repeating: 0))
        == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      Philox.hash(counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max))
        == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      Philox.hash(
        counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: SIMD2(0xa409_3822, 0x299f_31d0))
        == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  /// All at once is the same stream as word by word, wherever in it one begins, and leaves it where the words end.
  @Test(arguments: [1, 2, 5])
  func groupsAreTheSameStream(groups: Int) {
    for first in [0, 1, 4, 37] {
      var single = Philox(seed: 0x0123_4567_89ab_cdef, purpose: .dropout, stream: 0xfedc_ba98_7654_3210)
      for _ in 0..<(first + 3) / 4 * 4 { _ = single.next() }
      var grouped = Philox(seed: 0x0123_4567_89ab_cdef, purpose: .dropout, stream: 0xfedc_ba98_7654_3210)
      for _ in 0..<first { _ = grouped.next() }
      let words = Buffer<UInt32>(count: groups * Philox.groupCount)
      grouped.fill(words)
      #expect(words.array == (0..<words.count).map { _ in single.next() })
      #expect(grouped.next() == single.next())
    }
  }

  @Test func wordsComeFromTheDocumentedCounters() {
    var generator = Philox(seed: 0x0123_4567_89ab_cdef, purpose: .dropout, stream: 0xfedc_ba98_7654_3210)
    for block in 0..<3 as Range<UInt32> {
      let expected = Philox.hash(
        counter: SIMD4(block, 3, 0x7654_3210, 0xfedc_ba98), key: SIMD2(0x89ab_cdef, 0x0123_4567))
      for lane in 0..<4 { #expect(generator.next() == expected[lane]) }
    }
  }

  @Test func streamsDifferBySeedPurposeAndStream() {
    func head(_ seed: UInt64, _ purpose: Philox.Purpose, _ stream: UInt64) -> [UInt32] {
      var generator = Philox(seed: seed, purpose: purpose, stream: stream)
      return (0..<8).map { _ in generator.next() }
    }
    let heads = [
      head(0, .order, 0), head(1, .order, 0), head(1 << 32, .order, 0), head(0, .order, 1), head(0, .order, 1 << 32),
      head(0, .initialisation, 0), head(0, .augmentation, 0), head(0, Philox.Purpose(rawValue: 99), 0),
    ]
    #expect(Set(heads).count == heads.count)
    #expect(head(0, .order, 0) == heads[0])
  }

  @Test func uniformsFillTheUnitIntervalEvenly() {
    var generator = Philox(seed: 7, purpose: .augmentation, stream: 0)
    let draws = 1 << 20
    var (cells, sum, strays) = ([Int](repeating: 0, count: 256), 0.0, 0)
    for _ in 0..<draws {
      let value = generator.nextUniform()
      if value < 0 || value >= 1 || (value * 0x1p24).rounded() != value * 0x1p24 { strays += 1 }
      cells[Int(value * 256)] += 1
      sum += Double(value)
    }
    #expect(strays == 0)
    // The mean's deviation is 1/√(12 n) ≈ 0.00028. Chi-square with 255 degrees of freedom: mean 255, deviation 22.6.
    #expect(abs(sum / Double(draws) - 0.5) < 0.0015)
    #expect((150...370).contains(chiSquare(cells, draws: draws)))
  }

  @Test(arguments: [1, 2, 3, 7, 10, 1000, 60_000] as [UInt32])
  func boundedIntegersAreEven(bound: UInt32) {
    var generator = Philox(seed: 3, purpose: .order, stream: UInt64(bound))
    let draws = 200 * Int(bound) / Int(max(1, bound / 1000))
    var cells = [Int](repeating: 0, count: Int(min(bound, 1000)))
    for _ in 0..<draws {
      let value = generator.next(below: bound)
      cells[Int(value) * cells.count / Int(bound)] += 1
    }
    // A value at the bound or above would have fallen outside the cells.
    let freedom = Double(cells.count - 1)
    #expect(chiSquare(cells, draws: draws) <= freedom + 5 * (2 * freedom).squareRoot())
  }

  /// With a bound of 3·2³⁰ a quarter of the words is one too many; taken as they come, they would make every third
  /// result twice as likely as the others.
  @Test func wordsThatWouldFavourAResultAreDrawnAgain() {
    let bound: UInt32 = 3 << 30
    var (generator, words) = (Philox(seed: 1, purpose: .order, stream: 0), Philox(seed: 1, purpose: .order, stream: 0))
    var (residues, rejected) = ([0, 0, 0], 0)
    for _ in 0..<30_000 {
      let value = generator.next(below: bound)
      residues[Int(value % 3)] += 1
      while (UInt64(words.next()) * UInt64(bound)) >> 32 != UInt64(value) { rejected += 1 }
    }
    #expect((9_000...11_000).contains(rejected))
    #expect(chiSquare(residues, draws: 30_000) < 20)
  }

  /// Pearson's statistic against equally likely cells.
  private func chiSquare(_ cells: [Int], draws: Int) -> Double {
    let expected = Double(draws) / Double(cells.count)
    return cells.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
  }
}
