import Glibc
import Privacy
import Statistics
import Testing

@Suite struct PoissonSamplingTests {
  /// A program in Python that knows the documented counters, Philox and ChaCha20, and integers:
  ///
  ///     def word(source, purpose, step, index):    # purpose 40, or 41 for noise; SEED = 0x0123456789abcdef
  ///         wide = 2 if source == "philox" else 8
  ///         b = index // wide
  ///         c = [b & M, purpose | b >> 32 << 8, step & M, step >> 32]        # M = 0xffffffff
  ///         w = philox(c, [SEED & M, SEED >> 32]) if wide == 2 else chacha(range(1, 9), c)
  ///         return w[2 * (index % wide)] | w[2 * (index % wide) + 1] << 32
  ///     [i for i in range(60) if word(source, 40, step, i) < 2**64 // 10]
  @Test func goldenBatches() throws {
    let golden: [(source: Int, step: UInt64, batch: [Int])] = [
      (0, 1, [10, 16, 23, 35, 39, 40, 49, 53, 57]), (0, 1 << 33, [2, 8, 17, 19, 20, 30, 38, 55]),
      (1, 1, [7, 29, 40, 41, 46, 59]), (1, 1 << 33, [10, 12, 39, 40]),
    ]
    for (source, step, batch) in golden {
      let sampling = try PoissonSampling(rate: 0.1, source: sources[source])
      #expect(sampling.batch(of: 0..<60, step: step) == batch)
      #expect((0..<60).filter { sampling.isIncluded(UInt64($0), step: step) } == batch)
      // Shared among three ranks.
      #expect([0..<17, 17..<18, 18..<60].flatMap { sampling.batch(of: $0, step: step) } == batch)
    }
  }

  /// The script's `word(source, 40, step, 2**35 + 5)`: the first rate above it includes the sample, one at or below does
  /// not. Doubles of this size are multiples of 2¹¹ units.
  @Test func thresholdsAreExact() throws {
    let golden: [(source: Int, step: UInt64, word: UInt64)] = [
      (0, 1, 0x2c4c_4e63_6fc3_841e), (0, 1 << 33, 0x74d9_7796_aa04_d708), (1, 1, 0x2431_34b5_cd23_dfb0),
      (1, 1 << 33, 0xdce3_afea_eb74_ced8),
    ]
    for (source, step, word) in golden {
      func isIncluded(rate: Double) throws -> Bool {
        try PoissonSampling(rate: rate, source: sources[source]).isIncluded(1 << 35 + 5, step: step)
      }
      let below = Double(word >> 11) * 0x1p-53
      #expect(try !isIncluded(rate: below))
      #expect(try isIncluded(rate: below + 0x1p-53))
    }
  }

  @Test func edges() throws {
    for source in sources {
      #expect(try PoissonSampling(rate: 0, source: source).batch(of: 0..<1000, step: 1).isEmpty)
      #expect(try PoissonSampling(rate: 0x1p-64, source: source).batch(of: 0..<1000, step: 1).isEmpty)
      #expect(try PoissonSampling(rate: 1, source: source).batch(of: 5..<1000, step: 1) == Array(5..<1000))
      #expect(try PoissonSampling(rate: 0.5, source: source).batch(of: 7..<7, step: 1).isEmpty)
      for rate in [-0.1, 1.1, .nan] {
        #expect(throws: PrivacyError.self) { try PoissonSampling(rate: rate, source: source) }
      }
    }
  }

  /// The sizes of batches follow the binomial distribution, and the samples are in as often as each other, whatever the
  /// step before.
  @Test(arguments: sources.indices)
  func batchesAreBinomial(_ source: Int) throws {
    let (samples, steps, rate) = (400, 4000, 0.03)
    let sampling = try PoissonSampling(rate: rate, source: sources[source])
    var sizes = [Int](repeating: 0, count: samples + 1)
    var inclusions = [Int](repeating: 0, count: samples)
    var (pairs, repeats) = (0, 0)
    var last: Set<Int> = []
    for step in 1...steps {
      let batch = sampling.batch(of: 0..<samples, step: UInt64(step))
      sizes[batch.count] += 1
      for sample in batch { inclusions[sample] += 1 }
      repeats += batch.count { last.contains($0) }
      pairs += batch.count { batch.contains($0 + 1) }
      last = Set(batch)
    }
    let probabilities = (0...samples).map { k in
      exp(
        lgamma(Double(samples + 1)).0 - lgamma(Double(k + 1)).0 - lgamma(Double(samples - k + 1)).0
          + Double(k) * log(rate) + Double(samples - k) * log1p(-rate))
    }
    // Sizes of 4 to 22, and the two ends.
    let bins = [0...3] + (4...22).map { $0...$0 } + [23...samples]
    let sizeTest = chiSquare(
      bins.map { sizes[$0].reduce(0, +) }, expected: bins.map { probabilities[$0].reduce(0, +) * Double(steps) })
    #expect(sizeTest.statistic < sizeTest.bound)
    let sampleTest = chiSquare(
      inclusions, expected: [Double](repeating: rate * Double(steps), count: samples).map { $0 })
    // The variance of a count is 1 − q of its mean.
    #expect(sampleTest.statistic / (1 - rate) < sampleTest.bound)
    for (found, places) in [(repeats, samples * (steps - 1)), (pairs, (samples - 1) * steps)] {
      let expected = rate * rate * Double(places)
      #expect(abs(Double(found) - expected) < 5 * expected.squareRoot())
    }
  }
}
