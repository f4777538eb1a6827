import Collectives
import Testing

@Suite struct MessageCostTests {
  /// Two powers of two, as a ring has them; three ranks of eight microbatches hold 2, 3 and 3, which are at most two nodes.
  @Test(arguments: [(2, 2, 100), (4, 6, 150), (8, 14, 175), (3, 6, 200)])
  func load(ranks: Int, messages: Int, floats: Int) {
    #expect(ReductionLoad(count: 100, microbatches: 8, ranks: ranks).messages == messages)
    #expect(ReductionLoad(count: 100, microbatches: 8, ranks: ranks).floats == floats)
  }

  @Test func oneRankSendsNothing() {
    #expect(
      ReductionLoad(count: 100, microbatches: 8, ranks: 1).seconds(MessageCost(latency: 1, secondsPerFloat: 1)) == 0)
  }

  @Test func aFitFindsWhatMadeTheTimes() throws {
    let cost = MessageCost(latency: 2e-6, secondsPerFloat: 5e-10)
    let loads = [100, 1000, 10_000, 1_000_000].map { ReductionLoad(count: $0, microbatches: 4, ranks: 4) }
    let fitted = try #require(MessageCost(fitting: loads.map { ($0, $0.seconds(cost)) }))
    #expect(abs(fitted.latency - cost.latency) < 1e-9 * cost.latency)
    #expect(abs(fitted.secondsPerFloat - cost.secondsPerFloat) < 1e-9 * cost.secondsPerFloat)
  }

  @Test func aFitIsNeverNegative() throws {
    let loads = [1000, 2000].map { ReductionLoad(count: $0, microbatches: 2, ranks: 2) }
    let falling = try #require(MessageCost(fitting: [(loads[0], 2e-3), (loads[1], 1e-3)]))
    #expect(falling.secondsPerFloat == 0 && falling.latency > 0)
    let steep = try #require(MessageCost(fitting: [(loads[0], 1e-3), (loads[1], 9e-3)]))
    #expect(steep.latency == 0 && steep.secondsPerFloat > 0)
    #expect(MessageCost(fitting: [(loads[0], 1e-3)]) == nil)
  }
}
