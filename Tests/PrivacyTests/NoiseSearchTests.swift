import Privacy
import Testing

@Suite struct NoiseSearchTests {
  /// Sixty bisections of Opacus 1.6.0's ε (RDP, its orders).
  @Test func asOpacus() throws {
    let golden: [(Double, Double, Double, Int, improved: Double, classic: Double)] = [
      (1, 1e-05, 0.01, 1000, 1.5131221626072053, 1.7692014139325782),
      (3, 1e-05, 256.0 / 60_000, 14062, 1.0139998821544762, 1.1018751370118922),
      (8, 1e-06, 0.05, 400, 1.019558377018761, 1.0719516560607791),
      (0.5, 1e-05, 1, 10, 24.24634591087656, 30.675944753379877),
      (2, 1e-05, 0.3, 50, 4.789791518995668, 5.559085252394124),
    ]
    for (epsilon, delta, rate, steps, improved, classic) in golden {
      for (conversion, expected) in [(RDPAccountant.Conversion.improved, improved), (.classic, classic)] {
        let noise = try NoiseSearch.noiseMultiplier(
          epsilon: epsilon, delta: delta, sampleRate: rate, steps: steps, conversion: conversion)
        #expect(abs(noise - expected) < 2e-8 * expected, "\(epsilon), \(rate), \(steps)")
      }
    }
  }

  /// The noise keeps the target, and a little less noise does not.
  @Test(arguments: [0.02, 1, 100])
  func isTheSmallest(target: Double) throws {
    for (rate, steps) in [(0.001, 1), (0.01, 3000), (0.2, 20), (1, 100)] {
      let noise = try NoiseSearch.noiseMultiplier(epsilon: target, delta: 1e-6, sampleRate: rate, steps: steps)
      func epsilon(_ noise: Double) throws -> Double {
        let mechanism = try SubsampledGaussian(sampleRate: rate, noiseMultiplier: noise)
        return try RDPAccountant(PrivacyLedger(mechanism, steps: steps)).epsilon(delta: 1e-6).epsilon
      }
      #expect(try epsilon(noise) <= target)
      #expect(try epsilon(noise * (1 - 2e-9)) > target, "\(rate), \(steps): \(noise)")
    }
  }

  @Test func edges() throws {
    func search(_ epsilon: Double, _ delta: Double, _ rate: Double, _ steps: Int) throws -> Double {
      try NoiseSearch.noiseMultiplier(epsilon: epsilon, delta: delta, sampleRate: rate, steps: steps)
    }
    #expect(try search(1, 1e-5, 0, 100) == 0)
    #expect(try search(1, 1e-5, 0.1, 0) == 0)
    #expect(throws: PrivacyError.self) { try search(0, 1e-5, 0.1, 10) }
    #expect(throws: PrivacyError.self) { try search(.nan, 1e-5, 0.1, 10) }
    #expect(throws: PrivacyError.self) { try search(1, 0, 0.1, 10) }
    #expect(throws: PrivacyError.self) { try search(1, 1e-5, 1.1, 10) }
    // The last order leaves (ln(1/δ) − ln α)/(α − 1) + ln(1 − 1/α) = 0.0035, however large the noise.
    #expect(try search(0.0036, 1e-5, 0.1, 10) > 100)
    #expect {
      try search(0.0034, 1e-5, 0.1, 10)
    } throws: { "\($0)".hasPrefix("epsilon 0.0034 at delta 1e-05 cannot be reached in 10 steps at sample rate 0.1: ") }
  }
}
