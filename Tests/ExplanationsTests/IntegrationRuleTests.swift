import Privacy
import Testing

/// Rules of integration against what they integrate exactly.
@Suite struct IntegrationRuleTests {
  @Test(arguments: [1, 2, 3, 5, 8, 33, 200])
  func gaussAndLegendreIntegratePowersExactly(_ count: Int) {
    let rule = GaussLegendre.rule(count)
    #expect(rule.count == count && zip(rule, rule.dropFirst()).allSatisfy { $0.node < $1.node })
    for power in 0..<min(2 * count, 40) {
      let found = rule.reduce(0.0) { sum, node in
        sum + node.weight * (0..<power).reduce(1.0) { product, _ in product * node.node }
      }
      #expect(
        abs(found - (power % 2 == 0 ? 2 / Double(power + 1) : 0)) < 1e-13, "x^\(power) by \(count) nodes: \(found)")
    }
    // One power more is not exact.
    if count < 8 {
      let found = rule.reduce(0.0) { sum, node in
        sum + node.weight * (0..<2 * count).reduce(1.0) { product, _ in product * node.node }
      }
      #expect(abs(found - 2 / Double(2 * count + 1)) > 1e-6)
    }
  }
}
