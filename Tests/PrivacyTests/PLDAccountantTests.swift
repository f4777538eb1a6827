import Glibc
import Privacy
import Testing

/// PLD against Google's dp-accounting 0.6.0, whose grid is `h` = 10⁻⁵ here (10⁻⁴ for that of ε 37): ten times
/// finer than its default, which is too coarse for the smallest ε. The script that made the numbers:
///
///     import dp_accounting as d
///     from dp_accounting.pld.pld_privacy_accountant import PLDAccountant
///     def epsilon(entries, delta, h=1e-5):
///         accountant = PLDAccountant(value_discretization_interval=h)
///         for q, sigma, steps in entries:
///             event = d.GaussianDpEvent(sigma)
///             accountant.compose(event if q == 1 else d.PoissonSampledDpEvent(q, event), steps)
///         return accountant.get_epsilon(delta)
@Suite struct PLDAccountantTests {
  private static let golden: [(rate: Double, noise: Double, steps: Int, delta: Double, epsilon: Double)] = [
    (0.01, 4, 10000, 1e-05, 0.946868397),
    (0.0025, 1.3, 6000, 1e-08, 0.915843399),
    (256.0 / 60000, 1.1, 14062, 1e-05, 2.38159781),
    (1, 1, 1, 1e-05, 4.3771781),
    (1, 1, 1, 1e-08, 5.77609838),
    (1, 4, 100, 1e-05, 13.2067122),
    (1, 0.5, 20, 1e-05, 77.3300906),
    (0.001, 0.5, 1, 1e-05, 0.337599797),
    (0.001, 0.5, 20000, 1e-05, 6.50511815),
    (0.02, 0.5, 100, 1e-05, 9.69370346),
    (0.02, 0.8, 20000, 1e-05, 36.8635504),
    (0.02, 4, 1000, 1e-05, 0.579336372),
    (0.01, 1, 10, 1e-08, 1.13852016),
    (0.015, 0.7, 3000, 1e-05, 11.6592307),
    (0.001, 4, 1, 1e-05, 0.000433080913),
    (0.001, 4, 1, 1e-08, 0.00152416971),
    (0.01, 1, 100, 1e-10, 2.16281), (0.3, 2, 50, 1e-05, 5.41216777), (0.9, 1, 3, 1e-06, 8.85082932),
  ]

  private func ledger(_ rate: Double, _ noise: Double, _ steps: Int) throws -> PrivacyLedger {
    PrivacyLedger(try SubsampledGaussian(sampleRate: rate, noiseMultiplier: noise), steps: steps)
  }

  private func epsilon(_ rate: Double, _ noise: Double, _ steps: Int, _ delta: Double = 1e-5) throws -> Double {
    try PLDAccountant(ledger(rate, noise, steps)).epsilon(delta: delta)
  }

  /// Within 2·10⁻⁴, which Google's grid adds to the smallest ε. RDP's ε is larger.
  @Test(arguments: golden.indices)
  func goldenValues(_ index: Int) throws {
    let golden = Self.golden[index]
    let ledger = try ledger(golden.rate, golden.noise, golden.steps)
    let epsilon = try PLDAccountant(ledger).epsilon(delta: golden.delta)
    #expect(abs(epsilon - golden.epsilon) <= 2e-4 * golden.epsilon)
    #expect(epsilon < (try RDPAccountant(ledger).epsilon(delta: golden.delta).epsilon))
  }

  /// Without sampling ε is known: δ = Φ(μ/2 − ε/μ) − exp(ε)·Φ(−μ/2 − ε/μ), with μ = √T/σ (Balle & Wang 2018).
  @Test(arguments: [1e-3, 1e-5, 1e-9, 1e-15, 1e-25])
  func gaussianWithoutSampling(delta: Double) throws {
    for (noise, steps) in [(0.1, 1), (0.5, 20), (1, 1), (5, 1), (50, 10), (50, 10_000)] {
      let (mu, root) = (Double(steps).squareRoot() / noise, 2.0.squareRoot())
      func excess(_ epsilon: Double) -> Double {
        let (above, below) = (logErfc((epsilon / mu - mu / 2) / root), logErfc((epsilon / mu + mu / 2) / root))
        return (exp(above) - exp(epsilon + below)) / 2 - delta
      }
      var (low, high) = (0.0, 1e4)
      while high - low > 1e-13 * high && high > 1e-12 {
        let middle = (low + high) / 2
        if excess(middle) > 0 { low = middle } else { high = middle }
      }
      let epsilon = try epsilon(1, noise, steps, delta)
      #expect(epsilon >= high * (1 - 1e-8) - 1e-12, "\(noise), \(steps)")
      #expect(epsilon <= high * (1 + 2e-6) + 1e-12, "\(noise), \(steps)")
    }
  }

  /// Kinds of steps together, in any order. Google's: 3.0149849 and 4.0457624 with `h` = 2·10⁻⁵.
  @Test func kindsOfStepsCompose() throws {
    let kinds = [(0.01, 1.2, 500), (1, 20, 10), (0.02, 0.9, 300)]
    for order in [[0, 1, 2], [2, 0, 1]] {
      var ledger = PrivacyLedger()
      for kind in order {
        let mechanism = try SubsampledGaussian(sampleRate: kinds[kind].0, noiseMultiplier: kinds[kind].1)
        // In two parts, which are one kind wherever they stand.
        ledger.record(mechanism, steps: kinds[kind].2 / 2)
        ledger.record(try SubsampledGaussian(sampleRate: 0, noiseMultiplier: 1))
        ledger.record(mechanism, steps: kinds[kind].2 / 2)
      }
      let (delta, epsilon) = order[0] == 0 ? (1e-5, 3.0149849) : (1e-7, 4.0457624)
      #expect(abs(try PLDAccountant(ledger).epsilon(delta: delta) - epsilon) < 1e-4)
    }
  }

  /// Either direction alone, with Google's `h` = 2·10⁻⁵:
  ///
  ///     from dp_accounting.pld import privacy_loss_distribution as p
  ///     both = p.from_gaussian_mechanism(sigma, sampling_prob=q, value_discretization_interval=2e-5,
  ///                                      use_connect_dots=True).self_compose(steps)
  ///     print(both._pmf_remove.get_epsilon_for_delta(1e-5), both._pmf_add.get_epsilon_for_delta(1e-5))
  @Test func directions() throws {
    let golden = [
      (0.01, 1.0, 500, 1.32604754, 0.93201736), (0.5, 0.6, 5, 16.1222239, 3.30103891),
      (0.001, 4, 20_000, 0.11188559, 0.11119255), (0.02, 0.5, 1, 4.09900959, 0.0199975742),
    ]
    for (rate, noise, steps, removing, adding) in golden {
      let accountant = PLDAccountant(try ledger(rate, noise, steps))
      #expect(abs(try accountant.epsilon(delta: 1e-5, .removing) - removing) < 1e-3 * removing)
      let found = try accountant.epsilon(delta: 1e-5, .adding)
      #expect(abs(found - adding) < 1e-3 * adding, "\(rate): \(found)")
    }
  }

  @Test func monotone() throws {
    let base = try epsilon(0.05, 4, 100)
    #expect(try epsilon(0.05, 4, 101) > base)
    #expect(try epsilon(0.0505, 4, 100) > base)
    #expect(try epsilon(0.05, 4.04, 100) < base)
    #expect(try epsilon(0.05, 4, 100, 1.1e-5) < base)
  }

  @Test func edges() throws {
    #expect(try PLDAccountant().epsilon(delta: 1e-5) == 0)
    #expect(try epsilon(0.5, 1, 0) == 0)
    #expect(try epsilon(0, 1, 1000) == 0)
    #expect(try epsilon(0.1, 0, 1) == .infinity)
    #expect(try epsilon(1, 0, 1) == .infinity)
    #expect(try epsilon(0, 0, 1) == 0)
    // The sample was probably not in the batch at all, or the noise is large: 0.
    #expect(try epsilon(1e-6, 0.5, 1) == 0)
    #expect(try epsilon(1, 1e6, 1) == 0)
    #expect(try epsilon(0.5, 1e200, 1) == 0)
    #expect(try epsilon(1, 1e200, 1) == 0)
    #expect(try epsilon(1, 9e-7, 1) == .infinity)
    // The left-out outcomes outweigh δ.
    #expect(try epsilon(0.1, 1, 1000, 1e-31) == .infinity)
    // Next to no noise: μ²/2 + zμ with μ = 1000, where z is exceeded with a probability of δ/q.
    #expect(abs(try epsilon(1, 1e-3, 1) - 504_265) < 3)
    #expect(abs(try epsilon(0.5, 1e-3, 1) - 504_107) < 3)
    for delta in [0, 1, -1, 2, .nan] {
      #expect(throws: PrivacyError.self) { try PLDAccountant().epsilon(delta: delta) }
    }
  }

  /// A forward transform and back, and a convolution, against sums of products.
  @Test(arguments: [1, 2, 8, 64])
  func fourierTransform(count: Int) {
    let transform = FourierTransform(count: count)
    let (a, b) = ((0..<count).map { Double($0 * $0 % 7) - 2.5 }, (0..<count).map { Double($0 * 3 % 5) + 0.25 })
    var (x, y) = (a.map { Complex($0, 0) }, b.map { Complex(0, $0) })
    transform.forward(&x)
    transform.forward(&y)
    // x · y³, of which y³ is −i times that of real numbers.
    for k in x.indices {
      let (p, q) = (power(y[k], 3), x[k])
      x[k] = Complex(p.x * q.x - p.y * q.y, p.x * q.y + p.y * q.x)
    }
    transform.inverse(&x)
    func convolved(_ left: [Double], _ right: [Double]) -> [Double] {
      (0..<count).map { k in (0..<count).reduce(0) { $0 + left[$1] * right[(k - $1 + count) % count] } }
    }
    let expected = convolved(convolved(convolved(a, b), b), b)
    let size = expected.reduce(1) { max($0, abs($1)) }
    for k in 0..<count {
      #expect(abs(x[k].y + expected[k]) < 1e-13 * size)
      #expect(abs(x[k].x) < 1e-13 * size)
    }
  }
}
