import Lockstep
import Synchronization
import Testing

/// A step whose loss or gradient is not finite is not taken, on no rank; weights that are not finite are not saved.
///
/// Each rank has weights of its own: what spoils one rank's must be known to all.
@Suite struct NonFiniteTests {
  private static func ownWeights() throws -> SmallRun {
    var run = try SmallRun()
    run.execution.sharesMemory = false
    run.execution.verifyEvery = .never
    return run
  }

  @Test(arguments: [ReductionMethod.lockstep, .mpi])
  func aSkippedStepIsSkippedOnAllRanks(method: ReductionMethod) throws {
    var run = try Self.ownWeights()
    run.recipe.reduction = method
    run.execution.onNonFinite = .skip
    var digests: Set<String?> = [try run.run(ranks: 1)[0].digest]
    for ranks in [1, 2, 3, 4] {
      run.startAnew()
      let kept = Mutex<Float>(0)
      let outcomes = try run.run(ranks: ranks) { trainer, step in
        if step == 2 {
          kept.withLock { $0 = trainer.parameters[3] }
          trainer.parameters[3] = .nan
        }
        if step == 3 { trainer.parameters[3] = kept.withLock { $0 } }
      }
      #expect(
        outcomes[0].events.prefix(2) == [
          "warned: step 3: the loss is not finite, first in microbatch 0 on rank 0 on \(ProcessFacts.hostName); the step was "
            + "skipped, 1 in a row", "epoch 1, 1 skipped",
        ])
      #expect(Set(outcomes.map(\.digest)).count == 1)
      if method == .lockstep || ranks == 1 { digests.formUnion(outcomes.map(\.digest)) }
    }
    // Those of the undisturbed run, and of the run with one step less.
    #expect(digests.count == 2 && !digests.contains(nil))
  }

  @Test(arguments: [1, 2, 3, 4], [ReductionMethod.lockstep, .mpi])
  func whereItFirstAroseIsNamed(ranks: Int, method: ReductionMethod) throws {
    var run = try Self.ownWeights()
    run.recipe.reduction = method
    let outcomes = try run.run(
      ranks: ranks,
      prepare: { trainer, rank in
        if rank == ranks - 1 { trainer.parameters[0] = .nan }
      })
    let microbatch = microbatches(of: 5, heldBy: ranks - 1, of: ranks).lowerBound
    for outcome in outcomes {
      #expect(outcome.error?.code == .rankFailed)
      #expect(
        outcome.error?.description.hasPrefix(
          "step 1: the loss is not finite, first in microbatch \(microbatch) on rank \(ranks - 1) on ") == true)
    }
    #expect(try run.checkpoints.isEmpty)
  }

  /// The weights are one copy for all ranks, and grow beyond all bounds in the first step.
  @Test(arguments: [1, 2, 3, 4])
  func sharedWeightsThatOverflow(ranks: Int) throws {
    var run = try SmallRun()
    run.recipe.learningRate = 1e38
    let outcomes = try run.run(ranks: ranks)
    for outcome in outcomes {
      #expect(outcome.error?.description.hasPrefix("step 2: the loss is not finite") == true)
    }
    #expect(try run.checkpoints.isEmpty)
  }

  @Test(arguments: [1, 2, 3])
  func tooManyInARowEndTheRun(ranks: Int) throws {
    var run = try Self.ownWeights()
    run.execution.onNonFinite = .skip
    run.execution.nonFiniteLimit = 3
    let outcomes = try run.run(ranks: ranks, prepare: { trainer, _ in trainer.parameters[0] = .nan })
    #expect(outcomes[0].events.count == 3)
    for outcome in outcomes {
      #expect(outcome.error?.code == .rankFailed)
      #expect(outcome.error?.description.contains("step 4") == true)
      #expect(outcome.error?.description.contains("nonFiniteLimit is 3") == true)
    }
  }

  @Test func weightsThatAreNotFiniteAreNotSaved() throws {
    var run = try SmallRun()
    run.options.checkpointEvery = .steps(1)
    #expect {
      try run.run(ranks: 1) { trainer, step in
        if step == 3 { trainer.parameters[0] = .infinity }
      }
    } throws: { error in
      let error = error as? TrainingError
      return error?.code == .rankFailed && error?.description.contains("step 3: the weights are not finite") == true
    }
    #expect(try run.checkpoints == [1, 2])
  }
}
