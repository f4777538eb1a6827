import PeerPython
import Privacy
import Testing

/// Both accountants against Google's `dp-accounting`, which draws the mechanisms.
@Suite struct AccountantPeerTests {
  /// Prints lines of `rdp q σ steps order divergence` and of `pld q σ steps δ ε`. Orders are whole numbers: for others its series leaves out
  /// the signs of its terms. σ is so large that the divergences are far from overflow.
  private static let script = """
    import random
    import dp_accounting as d
    from dp_accounting.pld.pld_privacy_accountant import PLDAccountant
    from dp_accounting.rdp import RdpAccountant
    random.seed(1)
    for _ in range(300):
        q = random.choice([1.0, 10 ** random.uniform(-4, 0)])
        sigma, steps, order = 10 ** random.uniform(-0.2, 1), int(10 ** random.uniform(0, 5)), random.randint(2, 256)
        event = d.GaussianDpEvent(sigma)
        accountant = RdpAccountant([order])
        accountant.compose(event if q == 1 else d.PoissonSampledDpEvent(q, event), steps)
        print("rdp", q, sigma, steps, order, accountant._rdp[0])
    for _ in range(20):
        q, sigma, steps = 10 ** random.uniform(-3, -1.5), random.uniform(0.7, 3), int(10 ** random.uniform(1, 3.7))
        accountant = PLDAccountant()
        accountant.compose(d.PoissonSampledDpEvent(q, d.GaussianDpEvent(sigma)), steps)
        print("pld", q, sigma, steps, 1e-5, accountant.get_epsilon(1e-5))
    """

  @Test func theirFiguresAreOurs() throws {
    guard
      let python = try PeerPython("dp-accounting", packages: ["dp-accounting"], modules: ["dp_accounting.pld.common"])
    else { return }
    let run = try python.run(["-c", Self.script])
    try #require(run.status == 0, "\(run.output)")
    var seen: [Substring: Int] = [:]
    for line in run.output.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 6, words[0] == "rdp" || words[0] == "pld" else { continue }
      let numbers = try words.dropFirst().map { try #require(Double($0)) }
      let ledger = PrivacyLedger(
        try SubsampledGaussian(sampleRate: numbers[0], noiseMultiplier: numbers[1]), steps: Int(numbers[2]))
      seen[words[0], default: 0] += 1
      if words[0] == "rdp" {
        let found = RDPAccountant(ledger, orders: [numbers[3]]).renyiDivergences[0]
        #expect(abs(found - numbers[4]) <= 1e-9 * max(1, abs(numbers[4])), "\(line): \(found)")
      } else {
        let found = try PLDAccountant(ledger).epsilon(delta: numbers[3])
        #expect(abs(found - numbers[4]) <= 0.01 * numbers[4], "\(line): \(found)")
      }
    }
    #expect(seen == ["rdp": 300, "pld": 20])
  }
}
