import Lockstep
import Testing

@Suite struct ScalingPredictionTests {
  private let prediction = ScalingPrediction(
    microbatchSeconds: 10, updateSeconds: 1, gradientCount: 64,
    message: MessageCost(latency: 0.5, secondsPerFloat: 0.25))

  @Test func aStepIsTheSlowestRanksWorkAndTheReduction() throws {
    let batches = try BatchPlan(samples: 1000, globalBatch: 80, microbatch: 10)
    #expect(prediction.step(batches, ranks: 1) == .init(compute: 81, communication: 0))
    // Two messages of 32 floats.
    #expect(prediction.step(batches, ranks: 2) == .init(compute: 41, communication: 17))
    // ⌈8 / 3⌉ microbatches; six messages, 128 floats.
    #expect(prediction.step(batches, ranks: 3) == .init(compute: 31, communication: 35))
    #expect(prediction.step(batches, ranks: 9) == nil)
    #expect(prediction.efficiency(batches, ranks: 2) == 81.0 / 116)
  }

  @Test func aRankHoldsWeightsMomentsAndTheBuffersOfTheReduction() throws {
    let batches = try BatchPlan(samples: 1000, globalBatch: 80, microbatch: 10)
    // Eight microbatches in three slots.
    #expect(prediction.bytes(batches, ranks: 1) == 4 * 64 * (1 + 2 + 3))
    // Four in two slots, half of the other's node, the total.
    #expect(prediction.bytes(batches, ranks: 2) == 4 * (64 * (1 + 2 + 2 + 1) + 32))
    #expect(prediction.bytes(batches, ranks: 2, shardsOptimizer: true) == 4 * (64 * (1 + 1 + 2 + 1) + 32))
    var other = prediction
    other.otherBytes = 1000
    #expect(other.bytes(batches, ranks: 1) == prediction.bytes(batches, ranks: 1) + 1000)
  }

  @Test func ranksBeyondTheProcessorsTakeTurns() throws {
    let batches = try BatchPlan(samples: 1000, globalBatch: 80, microbatch: 10)
    var crowded = prediction
    crowded.processors = 2
    #expect(crowded.step(batches, ranks: 2)?.compute == 41)
    #expect(crowded.step(batches, ranks: 4)?.compute == 42)
  }
}
