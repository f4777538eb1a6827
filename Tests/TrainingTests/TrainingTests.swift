import Lockstep
import Testing

@Suite struct ArgumentTests {
  @Test func tasks() {
    #expect(Objective("classify") == .classify)
    #expect(Objective("binary:3") == .binary(positive: 3))
    #expect(Objective("regress") == .regress && "\(Objective.regress)" == "regress")
    for text in ["", "binary", "binary:", "binary:three", "Classify"] {
      #expect(Objective(text) == nil, "\(text)")
    }
    #expect("\(Objective.binary(positive: 7))" == "binary:7")
  }

  @Test func checkpointIntervals() {
    typealias Interval = RunOptions.CheckpointInterval
    #expect(Interval("1epoch") == .epochs(1))
    #expect(Interval("500steps") == .steps(500))
    #expect(Interval("10min") == .minutes(10))
    #expect(Interval("0.5min") == .minutes(0.5))
    for text in ["", "epoch", "0epoch", "1.5steps", "-1steps", "0min", "5", "5 steps", "5hours", "٣steps"] {
      #expect(Interval(text) == nil, "\(text)")
    }
    for text in ["2epoch", "500steps", "0.5min"] { #expect(Interval(text).map { "\($0)" } == text) }
  }

  @Test func timeSpans() {
    for (text, seconds) in [
      ("2h", 7200), ("1.5h", 5400), ("90min", 5400), ("30s", 30), ("0.5s", 0.5), ("01:30:00", 5400), ("0:00:07", 7),
      ("100:00:00", 360_000), ("2-03:00:01", 183_601),
    ] { #expect(TimeSpan(text)?.duration == .seconds(seconds), "\(text)") }
    for text in [
      "", "2", "h", "0s", "-1h", "2 h", "2d", "1:30", "1:2:3:4", "00:00:00", "1-2", "1-2-00:00:01", "a-00:00:01",
      "1:-1:00",
      ":00:01", "٣s", "99999999999999999999h", "nan", "infs",
    ] { #expect(TimeSpan(text) == nil, "\(text)") }
    for (text, written) in [("2h", "2h"), ("01:30:00", "90min"), ("90s", "90s"), ("0.5s", "0.5s"), ("600s", "10min")] {
      #expect(TimeSpan(text).map { "\($0)" } == written)
    }
  }

  @Test func verifyIntervals() {
    typealias Interval = Execution.VerifyInterval
    #expect(Interval("100steps") == .steps(100))
    #expect(Interval("never") == .never)
    for text in ["", "0steps", "100", "1epoch", "10min", "always"] { #expect(Interval(text) == nil, "\(text)") }
    for text in ["100steps", "never"] { #expect(Interval(text).map { "\($0)" } == text) }
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
      do {
        return try world.agree {
          if world.rank == world.size - 1 { throw TrainingError(.missingInput, "no such file") }
          return nil
        }
      } catch {
        return error as? TrainingError
      }
    }
    #expect(errors.allSatisfy { $0?.code == .missingInput && $0?.isAgreed == true })
    // A lone rank needs no name.
    let named = "rank \(size - 1) on \(ProcessFacts.hostName): no such file"
    #expect(errors.allSatisfy { $0?.description == (size == 1 ? "no such file" : named) })
  }

  @Test func anErrorOfAllIsToldOnce() throws {
    let lines = try InProcessCommunicator.run(size: 3) { world -> String in
      do {
        try world.agree { throw TrainingError(.usage, "wrong flag") }
      } catch {
        return "\(error)"
      }
      return ""
    }
    #expect(lines == ["wrong flag", "wrong flag", "wrong flag"])
  }
}
