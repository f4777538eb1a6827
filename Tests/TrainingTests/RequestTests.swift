import Lockstep
import Testing

/// What one rank is asked from outside, all do at the same step boundary.
@Suite struct RequestTests {
  @Test(arguments: [1, 2, 3, 4], [ReductionMethod.lockstep, .mpi])
  func aRankThatIsAskedToStopStopsAll(ranks: Int, method: ReductionMethod) throws {
    var run = try SmallRun()
    run.recipe.reduction = method
    let uninterrupted = try run.run(ranks: ranks)[0].digest
    for asked in 0..<ranks {
      run.startAnew()
      let controls = (0..<ranks).map { _ in RunControl() }
      let outcomes = try run.run(ranks: ranks, controls: controls) { _, step in
        if step == 6 { controls[asked].ask(.stop) }
      }
      let step = try #require(try run.checkpoints.last)
      // Rank 0 is heard in the next step; another may have begun that one before it was asked.
      #expect(asked == 0 ? step == 7 : (7...8).contains(step), "stopped at step \(step)")
      for outcome in outcomes {
        #expect(outcome.error?.code == .stopped)
        #expect(outcome.error?.description.contains("stopped by a signal at step \(step) after a checkpoint") == true)
      }
      #expect(outcomes[0].events == ["epoch 1", "saved \(step)"])
      // With the MPI method, bits depend on the number of ranks.
      let resumed = try run.run(ranks: method == .mpi ? ranks : 5 - ranks)
      #expect(resumed.allSatisfy { $0.digest == uninterrupted })
    }
  }

  @Test(arguments: [1, 2, 3, 4])
  func aRequestForACheckpointIsServedOnceAndTheRunGoesOn(ranks: Int) throws {
    let run = try SmallRun()
    let uninterrupted = try run.run(ranks: ranks)[0].digest
    run.startAnew()
    // However slow the machine.
    let controls = (0..<ranks).map { _ in RunControl(pause: .seconds(3600)) }
    let outcomes = try run.run(ranks: ranks, controls: controls) { _, step in
      // As mpirun does it: to one rank after another.
      if step == 2 { controls[0].ask(.save) }
      if step == 3 { controls[ranks - 1].ask(.save) }
    }
    #expect(outcomes.allSatisfy { $0.digest == uninterrupted })
    #expect(outcomes[0].events == ["saved 3", "epoch 1", "epoch 2", "epoch 3", "saved 15", "ended"])
  }

  /// Asked of a rank that holds nothing of the next batch, which is the epoch's last: the evaluation saves first, and its end is where
  /// the others hear.
  @Test(arguments: [1, 2, 3, 4], [RunRequests.stop, .save])
  func askedBeforeAnEvaluation(ranks: Int, request: RunRequests) throws {
    let run = try SmallRun()
    let controls = (0..<ranks).map { _ in RunControl() }
    let outcomes = try run.run(ranks: ranks, controls: controls) { _, step in
      if step == 4 { controls[0].ask(request) }
    }
    if request == .stop {
      #expect(outcomes.allSatisfy { $0.error?.code == .stopped })
      #expect(outcomes[0].events == ["saved 5", "epoch 1"])
    } else {
      #expect(outcomes[0].events == ["saved 5", "epoch 1", "epoch 2", "epoch 3", "saved 15", "ended"])
    }
  }

  @Test func afterTheLastStepARunIsFinishedAndNotStopped() throws {
    let run = try SmallRun()
    let control = RunControl()
    let outcome = try run.run(ranks: 1, controls: [control]) { _, step in if step == 14 { control.ask(.stop) } }[0]
    #expect(outcome.events.last == "ended")
  }

  @Test(arguments: [1, 2, 3, 4])
  func theClockStopsARun(ranks: Int) throws {
    var run = try SmallRun()
    run.options.maxTime = TimeSpan("0.001s")
    let outcomes = try run.run(ranks: ranks)
    #expect(try run.checkpoints == [1])
    for outcome in outcomes {
      #expect(outcome.error?.code == .stopped)
      #expect(outcome.error?.description.contains("maxTime at step 1") == true)
    }
    run.options.maxTime = TimeSpan("1h")
    #expect(try run.run(ranks: ranks)[0].events.last == "ended")
  }
}
