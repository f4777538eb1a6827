import Lockstep
import Testing

@Suite struct ArgumentTests {
  @Test func tasks() {
    #expect(Task("classify") == .classify)
    #expect(Task("binary:3") == .binary(positive: 3))
    for text in ["", "binary", "binary:", "binary:-1", "binary:256", "binary:three", "Classify"] {
      #expect(Task(text) == nil, "\(text)")
    }
    #expect("\(Task.binary(positive: 7))" == "binary:7")
  }

  @Test func checkpointIntervals() {
    typealias Interval = TrainingConfiguration.CheckpointInterval
    #expect(Interval("1epoch") == .epochs(1))
    #expect(Interval("500steps") == .steps(500))
    #expect(Interval("10min") == .minutes(10))
    #expect(Interval("0.5min") == .minutes(0.5))
    for text in ["", "epoch", "0epoch", "1.5steps", "-1steps", "0min", "5", "5 steps", "5hours", "٣steps"] {
      #expect(Interval(text) == nil, "\(text)")
    }
    for text in ["2epoch", "500steps", "0.5min"] { #expect(Interval(text).map { "\($0)" } == text) }
  }

  @Test func numbersOnTheTerminal() {
    #expect(fixed(0.98236, 4) == "0.9824")
    #expect(fixed(0.00004, 4) == "0.0000")
    #expect(fixed(-0.00004, 4) == "0.0000")
    #expect(fixed(-1.25, 1) == "-1.3")
    #expect(fixed(12, 0) == "12")
    #expect(fixed(.nan, 4) == "nan")
    #expect(fixed(.infinity, 2) == "inf")
  }
}

/// Agreement among ranks, here threads: an error of one is everybody's, and so is a difference in what they were given.
@Suite struct AgreementTests {
  @Test(arguments: [1, 2, 3, 4])
  func anErrorOfOneRankIsEverybodys(size: Int) throws {
    let errors = try InProcessCommunicator.run(size: size) { world -> TrainingError? in
      do throws(TrainingError) {
        return try world.agree { () throws(TrainingError) in
          if world.rank == world.size - 1 { throw TrainingError(.missingInput, "no such file") }
          return nil
        }
      } catch {
        return error
      }
    }
    #expect(errors.allSatisfy { $0?.code == .missingInput && $0?.isAgreed == true })
    // A lone rank needs no name.
    let named = "rank \(size - 1) on \(ProcessFacts.hostName): no such file"
    #expect(errors.allSatisfy { $0?.description == (size == 1 ? "no such file" : named) })
  }

  @Test func anErrorOfAllIsToldOnce() throws {
    let lines = try InProcessCommunicator.run(size: 3) { world -> String in
      do throws(TrainingError) {
        try world.agree { () throws(TrainingError) -> Void in throw TrainingError(.usage, "wrong flag") }
      } catch {
        return error.description
      }
      return ""
    }
    #expect(lines == ["wrong flag", "wrong flag", "wrong flag"])
  }
}
