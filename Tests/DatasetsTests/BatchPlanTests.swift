import Datasets
import Testing

@Suite struct BatchPlanTests {
  @Test(arguments: [1, 2, 7, 31, 32, 33, 100, 1000, 10_001], [1, 2, 3, 5, 8, 32, 100, 256, 5000])
  func everySampleIsVisitedExactlyOnce(samples: Int, globalBatch: Int) throws {
    for microbatch in [nil, 1, 2, 3, globalBatch] where (microbatch ?? 1) <= globalBatch {
      let plan = try BatchPlan(samples: samples, globalBatch: globalBatch, microbatch: microbatch)
      // One expectation for a whole epoch: there are too many microbatches to look at.
      var (next, sound) = (0, true)
      for step in 0..<plan.steps {
        let batch = plan.batch(step)
        sound = sound && batch.positions.lowerBound == next
        sound = sound && (batch.positions.count == globalBatch || step == plan.steps - 1)
        for (index, microbatch) in batch.enumerated() {
          sound = sound && microbatch.index == index && microbatch.positions.lowerBound == next
          sound = sound && (microbatch.positions.count == plan.microbatch || index == batch.count - 1)
          sound = sound && !microbatch.positions.isEmpty
          next = microbatch.positions.upperBound
        }
        sound = sound && next == batch.positions.upperBound
      }
      #expect(sound && next == samples, "\(plan)")
    }
  }

  @Test func defaultMicrobatchIsAnEighthHeldBetween4And32() {
    let expected = [1: 1, 3: 3, 4: 4, 5: 4, 31: 4, 32: 4, 40: 5, 100: 12, 255: 31, 256: 32, 257: 32, 4096: 32]
    for (globalBatch, microbatch) in expected {
      #expect(BatchPlan.defaultMicrobatch(globalBatch: globalBatch) == microbatch, "of \(globalBatch)")
    }
  }

  @Test func aModelMayAskForFewerSamples() {
    for (globalBatch, microbatch) in [3: 3, 32: 4, 64: 8, 256: 8] {
      #expect(BatchPlan.defaultMicrobatch(globalBatch: globalBatch, atMost: 8) == microbatch, "of \(globalBatch)")
    }
    for most in 1...3 { #expect(BatchPlan.defaultMicrobatch(globalBatch: 256, atMost: most) == most) }
    #expect(BatchPlan.defaultMicrobatch(globalBatch: 1, atMost: 2) == 1)
  }

  @Test func theArticlesEpoch() throws {
    let plan = try BatchPlan(samples: 60_000, globalBatch: 32)
    #expect(plan.steps == 1875)
    #expect(plan.batch(1874).positions == 59_968..<60_000)
  }

  @Test func aShortLastBatchDoesNotBoundTheRanks() throws {
    let plan = try BatchPlan(samples: 34, globalBatch: 32)
    #expect(plan.batch(1).map(\.positions) == [32..<34])
    try plan.check(ranks: 8)
  }

  @Test func sizesBeyondAnyEpochDoNotOverflow() throws {
    let plan = try BatchPlan(samples: 10, globalBatch: .max, microbatch: .max)
    #expect(plan.steps == 1 && plan.microbatchesInFullBatch == 1)
    #expect(plan.batch(0).map(\.positions) == [0..<10])
    #expect(plan.largestMicrobatch == 10)
    #expect(throws: BatchPlanError.self) { try plan.check(ranks: 3) }
    // 3 · (2⁶³ − 1) is no batch to advise.
    let error = BatchPlanError.tooManyRanks(3, plan: plan)
    #expect("\(error)".hasSuffix("give microbatch \((Int.max - 1) / 2) or less, or start 1 ranks or fewer"))
  }

  @Test func whatCannotBePlannedIsRefused() {
    #expect(throws: BatchPlanError.noSamples) { try BatchPlan(samples: 0, globalBatch: 32) }
    #expect(throws: BatchPlanError.globalBatch(0)) { try BatchPlan(samples: 10, globalBatch: 0) }
    #expect(throws: BatchPlanError.globalBatch(-3)) { try BatchPlan(samples: 10, globalBatch: -3) }
    #expect(throws: BatchPlanError.microbatch(33, globalBatch: 32)) {
      try BatchPlan(samples: 10, globalBatch: 32, microbatch: 33)
    }
    #expect(throws: BatchPlanError.microbatch(0, globalBatch: 32)) {
      try BatchPlan(samples: 10, globalBatch: 32, microbatch: 0)
    }
  }

  @Test func tooManyRanksAreToldWhichFlagHelps() throws {
    let plan = try BatchPlan(samples: 60_000, globalBatch: 32)
    let error = #expect(throws: BatchPlanError.tooManyRanks(9, plan: plan)) { try plan.check(ranks: 9) }
    #expect(
      error?.description
        == "9 ranks are too many for the 8 microbatches of 4 samples in a global batch of 32: give microbatch 3 or "
        + "less, or give globalBatch 36 microbatch 4, or start 8 ranks or fewer")
    // One sample a rank is the limit: then only a larger batch or fewer ranks help.
    let hopeless = try BatchPlan(samples: 60_000, globalBatch: 4)
    #expect("\(BatchPlanError.tooManyRanks(5, plan: hopeless))".contains("give globalBatch 20 microbatch 4, or"))
  }

  /// The advice is followed: it must work, and the next larger microbatch must not.
  @Test func theAdviceWorks() throws {
    for globalBatch in 1...70 {
      for ranks in 2...70 {
        let plan = try BatchPlan(samples: 1000, globalBatch: globalBatch)
        guard (try? plan.check(ranks: ranks)) == nil else { continue }
        try BatchPlan(samples: 1000, globalBatch: ranks * plan.microbatch, microbatch: plan.microbatch)
          .check(ranks: ranks)
        let advised = (globalBatch - 1) / (ranks - 1)
        let works = { (microbatch: Int) in
          try BatchPlan(samples: 1000, globalBatch: globalBatch, microbatch: microbatch).check(ranks: ranks)
        }
        if advised >= 1 { try works(advised) }
        #expect(throws: BatchPlanError.self) { try works(advised + 1) }
      }
    }
  }
}
