import Glibc
import Privacy
import Testing

/// RDP against Opacus 1.6.0 and against the defining integral in 40 digits (mpmath 1.4.1). The script that made the numbers:
///
///     from opacus.accountants.analysis import rdp
///     import mpmath as mp, random
///     mp.mp.dps = 40
///     random.seed(1)
///     def exact(q, s, a):
///         q, s, a = mp.mpf(q), mp.mpf(s), mp.mpf(a)
///         f = lambda x: mp.npdf(x, 0, s) * ((1 - q) + q * mp.exp((2 * x - 1) / (2 * s * s))) ** a
///         z = s * s * mp.log(1 / q - 1) + 0.5
///         points = sorted({-40 * s, -8 * s, -2 * s, 0, 2 * s, 8 * s, a, a - 3 * s, a + 3 * s, a + 10 * s,
///                          z, z - s, z + s, a + 40 * s})
///         return mp.log(mp.quad(f, points, maxdegree=8)) / (a - 1)
///     for i in range(44):
///         q = float(f"{10 ** random.uniform(-4, -0.1):.4g}")
///         s = float(f"{10 ** random.uniform(-0.4, 0.9):.4g}")
///         a = random.choice([round(random.uniform(1.1, 11), 1), round(random.uniform(1.1, 11), 1),
///                            random.randint(2, 63), float(f"{random.uniform(1.05, 50):.4g}")])
///         print((q, s, float(a), float(rdp._compute_rdp(q, s, a)), float(exact(q, s, a))))
@Suite struct SubsampledGaussianTests {
  private static let golden: [(rate: Double, noise: Double, order: Double, opacus: Double, exact: Double)] = [
    (0.0003342, 5.031, 38.3, 8.623739870979894e-08, 8.623739866042466e-08),
    (0.03477, 4.22, 2.0, 6.982644037629559e-05, 6.98264403762352e-05),
    (0.05173, 0.8835, 9.0, 2.433803954188862, 2.433803954188862),
    (0.0001222, 2.782, 11.65, 1.1999328804076216e-08, 1.1999328761748895e-08),
    (0.06774, 1.932, 10.4, 0.00905010101982889, 0.009050101019829945),
    (0.04362, 3.884, 10.5, 0.0007021170966740983, 0.0007021170966740863),
    (0.0005309, 7.768, 44.89, 1.0575388904494951e-07, 1.0575388904544744e-07),
    (0.009552, 6.071, 25.49, 3.2181363897099806e-05, 3.2181363897159336e-05),
    (0.01982, 0.4415, 28.0, 67.7572207836801, 67.75722078368008),
    (0.01381, 3.266, 7.8, 7.369418506762128e-05, 7.369418506759768e-05),
    (0.1086, 1.893, 3.0, 0.005880203573111966, 0.005880203573112048),
    (0.05536, 7.553, 5.0, 0.00013586478755079145, 0.00013586478755074193),
    (0.6762, 3.997, 16.0, 0.28118646297680117, 0.28118646297680117),
    (0.5183, 2.245, 5.6, 0.19513728802664285, 0.19513728802664662),
    (0.003136, 5.176, 10.4, 1.946869460693582e-06, 1.946869460724509e-06),
    (0.004589, 0.4709, 47.11, 100.7238930323101, 100.7238930323101),
    (0.007784, 1.158, 41.0, 10.310432525222055, 10.310432525222057),
    (0.00612, 0.4329, 3.4, 1.857297473188376, 1.8572974731883793),
    (0.13, 4.327, 9.2, 0.004467479437492878, 0.0044674794374933565),
    (0.0002112, 0.4185, 8.6, 14.975252909534843, 14.975252909534841),
    (0.002204, 0.4902, 12.0, 18.295584431894326, 18.295584431894326),
    (0.005934, 1.044, 1.3, 3.409179960363178e-05, 3.4091799359242416e-05),
    (0.001018, 0.8502, 8.3, 1.345274798018869e-05, 1.3452747978313397e-05),
    (0.0007568, 1.308, 35.54, 2.9920951414637966, 2.9920951414637957),
    (0.01331, 0.7705, 10.8, 4.335985722207216, 4.335985722207215),
    (0.003468, 2.232, 7.3, 9.801308476872933e-06, 9.801308476902474e-06),
    (0.5954, 5.473, 21.0, 0.14731685816670453, 0.14731685816670453),
    (0.07961, 1.384, 1.2, 0.0024895042315862025, 0.002489504232241269),
    (0.5657, 2.195, 2.8, 0.10397886498084914, 0.10397886498088822),
    (0.002979, 1.125, 30.0, 5.835126781707613, 5.835126781707614),
    (0.0002554, 2.922, 31.01, 1.257913373586383e-07, 1.2579133737593908e-07),
    (0.3227, 0.4203, 38.0, 106.39444358242741, 106.39444358242741),
    (0.004721, 0.8841, 17.88, 5.764578212981434, 5.764578212981433),
    (0.09886, 1.96, 1.5, 0.002146269009610611, 0.0021462690094109713),
    (0.00111, 1.076, 23.0, 2.8202015074293256, 2.8202015074293247),
    (0.0008265, 6.717, 8.8, 6.736968501235151e-08, 6.736968496215558e-08),
    (0.001782, 1.345, 11.0, 1.3085007629353842e-05, 1.3085007629298551e-05),
    (0.0002801, 2.31, 10.3, 8.332229764250827e-08, 8.332229764855821e-08),
    (0.5173, 1.187, 9.0, 2.4559346435258305, 2.455934643525831),
    (0.0002631, 0.4565, 4.0, 0.005119767817916564, 0.00511976781791653),
    (0.1667, 4.235, 3.0, 0.002407594058348331, 0.0024075940583482983),
    (0.005735, 3.056, 45.63, 8.738493310604228e-05, 8.73849331061425e-05),
    (0.1397, 2.022, 9.2, 0.03429880990994221, 0.034298809909947325),
    (0.0006452, 1.03, 61.0, 21.280792513337737, 21.280792513337733),
  ]

  private func divergence(_ rate: Double, _ noise: Double, _ order: Double) throws -> Double {
    try SubsampledGaussian(sampleRate: rate, noiseMultiplier: noise).renyiDivergence(order: order)
  }

  @Test(arguments: golden.indices)
  func goldenValues(_ index: Int) throws {
    let golden = Self.golden[index]
    let value = try divergence(golden.rate, golden.noise, golden.order)
    let isInteger = golden.order == golden.order.rounded()
    // Opacus ends its sums at terms of 10⁻¹³.
    #expect(abs(value - golden.opacus) <= 1e-12 + 1e-14 * golden.opacus)
    // A tiny moment of fractional order is the difference of ln A from 0, which has no more digits than A.
    #expect(abs(value - golden.exact) <= (isInteger ? 0 : 5e-16 / (golden.order - 1)) + 5e-15 * golden.exact)
  }

  /// At q of about ½ and low orders the series falls slowly: the terms behind α number thousands. The values are
  /// mpmath's.
  @Test func slowSeries() throws {
    let golden = [
      (0.5, 1.0, 1.1, 0.156130475685493), (0.5, 8, 1.2, 0.002350150618899826), (0.6, 2, 1.5, 0.0708620032621699),
      (0.45, 20, 1.1, 0.00027855997781322275), (0.5, 1, 2.5, 0.5105603809236317),
    ]
    for (rate, noise, order, expected) in golden {
      #expect(abs(try divergence(rate, noise, order) - expected) < 1e-14, "\(rate), \(noise), \(order)")
    }
  }

  /// RDP rises with the order, across integers and what lies between, and with the rate; it falls with the noise.
  @Test(arguments: [0.0005, 0.01, 0.3, 0.5, 0.9, 1])
  func monotone(rate: Double) throws {
    for noise in [0.3, 1, 4] {
      var last = 0.0
      for order in RDPAccountant.standardOrders {
        let value = try divergence(rate, noise, order)
        #expect(value >= last, "order \(order)")
        #expect(try divergence(rate, noise * 1.1, order) < value)
        #expect(try divergence(rate * 0.9, noise, order) < value)
        last = value
      }
    }
  }

  /// Next to an integer the fractional formula gives what the other one gives at it.
  @Test func formulasMeet() throws {
    for (rate, noise) in [(0.01, 1.0), (0.2, 3.0), (0.7, 0.8)] {
      for order in [2.0, 3, 7, 32] {
        let value = try divergence(rate, noise, order)
        #expect(abs(try divergence(rate, noise, order + 1e-9) - value) <= 1e-7 * value)
        #expect(abs(try divergence(rate, noise, order - 1e-9) - value) <= 1e-7 * value)
      }
    }
  }

  @Test func edges() throws {
    #expect(try divergence(0, 1, 2) == 0)
    #expect(try divergence(0, 0, 2) == 0)
    #expect(try divergence(1, 2, 3.5) == 3.5 / 8)
    #expect(try divergence(0.1, 0, 2) == .infinity)
    for order in [1.1, 2, 63] {
      #expect(try divergence(0.1, 1e-200, order) == .infinity)
      // All but certain: α/2σ² + α·ln q/(α − 1).
      let almost = order / 2e-4 + order * log(0.1) / (order - 1)
      #expect(abs(try divergence(0.1, 1e-2, order) - almost) < 1e-9 * almost)
      #expect(abs(try divergence(1 - 1e-12, 2, order) - order / 8) < 1e-10)
      #expect(try divergence(1e-12, 4, order) < 1e-15)
      #expect(try divergence(0.1, 1e12, order) < 1e-14)
      #expect(try divergence(0.1, 1e200, order) < 1e-14)
    }
  }

  @Test func valuesOutOfRangeThrow() {
    let wrong: [(Double, Double)] = [(-0.1, 1), (1.1, 1), (.nan, 1), (0.5, -1), (0.5, .infinity), (0.5, .nan)]
    for (rate, noise) in wrong {
      #expect(throws: PrivacyError.self) { try SubsampledGaussian(sampleRate: rate, noiseMultiplier: noise) }
    }
    #expect {
      try SubsampledGaussian(sampleRate: 1.5, noiseMultiplier: 1)
    } throws: { "\($0)" == "sample rate 1.5 is not from 0 to 1" }
  }

  /// mpmath's `log(erfc(x))`.
  @Test func logarithmOfErfc() {
    let golden = [
      (-30, 0.6931471805599453), (-1, 0.6112323176780705), (0, 0), (0.5, -0.7350111298370844), (5, -27.200889545537436),
      (24.99, -628.291739731887), (25, -628.7920391740716), (25.01, -629.2925384570193), (40, -1604.2615566532736),
      (1000, -1000007.4801207219),
    ]
    for (x, expected) in golden { #expect(abs(logErfc(x) - expected) <= 4e-16 * abs(expected) + 2e-16, "\(x)") }
  }
}
