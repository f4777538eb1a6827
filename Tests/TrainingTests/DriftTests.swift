import Lockstep
import Testing

/// Ranks that have come to compute with different weights are found, and named.
@Suite struct DriftTests {
  @Test func theMinorityIsNamed() throws {
    for size in 1...6 {
      for wrong in [[], [0], [size - 1], [0, size - 1]] {
        let found = try InProcessCommunicator.run(size: size) { communicator in
          let weights = Buffer<Float>(count: 100)
          let check = DriftCheck(communicator)
          let before = try check.differingRanks(weights)
          // Different from the others and from one another, in the last bit of one weight.
          if wrong.contains(communicator.rank) {
            weights[50] = Float(bitPattern: UInt32(1 + communicator.rank))
          }
          return [before, try check.differingRanks(weights)]
        }
        let isMajority = 2 * (size - Set(wrong).count) > size
        // Without one, rank 0 is taken for right.
        let expected =
          isMajority ? Set(wrong).sorted() : wrong.isEmpty ? [] : (0..<size).filter { $0 != 0 }
        for rank in found { #expect(rank == [[], size == 1 ? [] : expected], "\(wrong) of \(size)") }
      }
    }
  }

  @Test(arguments: [2, 3, 4], [ReductionMethod.lockstep, .mpi])
  func aRunEndsAndSaysWho(ranks: Int, method: ReductionMethod) throws {
    var run = try SmallRun()
    run.execution.sharesMemory = false
    run.recipe.reduction = method
    run.execution.verifyEvery = .steps(4)
    run.options.checkpointEvery = .steps(1)
    let outcomes = try run.run(
      ranks: ranks,
      prepare: { trainer, rank in
        if rank == 1 { trainer.parameters[7] = trainer.parameters[7].nextUp }
      })
    for outcome in outcomes {
      #expect(outcome.error?.code == .rankFailed)
      #expect(
        outcome.error?.description.hasPrefix(
          "step 4: the weights of rank 1 on \(ProcessFacts.hostName) differ from those of rank 0 on \(ProcessFacts.hostName), as they did not "
            + "after step 0"
        ) == true)
    }
    // None is saved of the step that showed it.
    #expect(try run.checkpoints.last == 3)
    run.startAnew()
    run.execution.verifyEvery = .never
    let unseen = try run.run(
      ranks: ranks,
      prepare: { trainer, rank in
        if rank == 1 { trainer.parameters[7] = trainer.parameters[7].nextUp }
      })
    #expect(unseen.allSatisfy { $0.error == nil })
  }

  @Test(arguments: [1, 2, 3, 4], [true, false])
  func ranksThatAgreeGoOn(ranks: Int, sharesMemory: Bool) throws {
    var run = try SmallRun()
    run.execution.sharesMemory = sharesMemory
    run.execution.verifyEvery = .steps(1)
    #expect(try run.run(ranks: ranks).allSatisfy { $0.error == nil })
  }
}
