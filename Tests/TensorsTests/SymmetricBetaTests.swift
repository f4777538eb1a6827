import Glibc
import Tensors
import Testing

/// Random numbers of Beta(α, α), and the functions that they are made by.
@Suite struct SymmetricBetaTests {
  @Test func functionsAgainstTheCLibrary() {
    var words = Philox(seed: 1, purpose: Philox.Purpose(rawValue: 1001), stream: 0)
    var (worstLog, worstExp) = (0.0, 0.0)
    for _ in 0..<20_000 {
      let x = exp(Double(words.nextUniform()) * 1400 - 700)
      worstLog = max(worstLog, abs(portableLog(x) - log(x)) / max(1, abs(log(x))))
      let near = 1 + (Double(words.nextUniform()) - 0.5) * 1e-3
      worstLog = max(worstLog, abs(portableLog(near) - log(near)))
      let y = Double(words.nextUniform()) * 1400 - 700
      worstExp = max(worstExp, abs(portableExp(y) / exp(y) - 1))
      worstExp = max(worstExp, abs(portableExp(y / 1000) / exp(y / 1000) - 1))
    }
    #expect(worstLog < 0x1p-50, "\(worstLog)")
    #expect(worstExp < 0x1p-49, "\(worstExp)")
    #expect(portableLog(1) == 0 && portableExp(0) == 1)
    #expect(portableExp(-709) == 0 && portableExp(-.infinity) == 0 && portableExp(710) == .infinity)
    #expect(portableLog(.leastNormalMagnitude) == log(Double.leastNormalMagnitude))
  }

  /// The mean, the variance 1 / (4·(2α + 1)) and the fourth moment about ½, 3 / (16·(2α + 1)·(2α + 3)), of 40,000 draws: each to four
  /// standard errors.
  @Test(arguments: [0.01, 0.1, 0.2, 0.4, 1, 1.0001, 2, 8.5, 300])
  func moments(_ alpha: Double) {
    let beta = SymmetricBeta(alpha: alpha)
    var words = Philox(seed: 2, purpose: Philox.Purpose(rawValue: 1001), stream: UInt64(alpha * 10_000))
    let count = 40_000
    let draws = (0..<count).map { _ in beta.draw(from: &words) - 0.5 }
    #expect(draws.allSatisfy { abs($0) <= 0.5 })
    func mean(_ power: Int) -> Double { draws.reduce(0) { $0 + pow($1, Double(power)) } / Double(count) }
    func error(_ second: Double, _ first: Double) -> Double {
      4 * ((second - first * first) / Double(count)).squareRoot()
    }
    let second = 1 / (4 * (2 * alpha + 1))
    let fourth = 3 / (16 * (2 * alpha + 1) * (2 * alpha + 3))
    #expect(abs(mean(1)) < error(second, 0))
    #expect(abs(mean(2) - second) < error(fourth, second))
    #expect(abs(mean(4) - fourth) < error(mean(8), fourth))
  }

  /// α = ½ is the arcsine distribution, α = 1 the even one: the largest distance from it over 40,000 draws is below that of one run in a
  /// million, 2.7 / √n (Kolmogorov).
  @Test func distributions() {
    for (alpha, distribution) in [
      (0.5, { 2 / Double.pi * asin($0.squareRoot()) }), (1, { $0 }), (2, { $0 * $0 * (3 - 2 * $0) }),
    ] as [(Double, (Double) -> Double)] {
      let beta = SymmetricBeta(alpha: alpha)
      var words = Philox(seed: 3, purpose: Philox.Purpose(rawValue: 1001), stream: UInt64(alpha * 10))
      let draws = (0..<40_000).map { _ in beta.draw(from: &words) }.sorted()
      let distance = draws.enumerated().map { abs(distribution($1) - Double($0) / 40_000) }.max() ?? 1
      #expect(distance < 2.7 / 200, "α = \(alpha): \(distance)")
    }
  }

  /// The first draws, to the bit: they may not change with a compiler or a C library. A Philox and these methods in Python, with its
  /// own logarithms, gave the same.
  @Test func bits() {
    func first(_ alpha: Double) -> [Float] {
      var words = Philox(seed: 4, purpose: .mixing, stream: 5)
      return (0..<3).map { _ in Float(SymmetricBeta(alpha: alpha).draw(from: &words)) }
    }
    #expect(first(0.2) == [0.089319736, 0.99981695, 0.99788547])
    #expect(first(3) == [0.5007033, 0.6149809, 0.67993176])
  }
}
