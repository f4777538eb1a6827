import Foundation
import Testing

extension ProgramTests {
  /// Every option that takes a number, with numbers nobody meant: the command ends soon, in order, with one line at most.
  @Suite(.serialized)
  struct NumberTests {
    private static let numbers = [
      "-1", "0", "-0", "1", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "4611686018427387904",
      "18446744073709551616", "1e400", "1e-400", "3.98107e+14", "inf", "nan", "", "text", "1_000", "+1",
      "\u{967}\u{968}",
    ]

    /// Data on which a run takes a hundredth of a second.
    private static func writeData(_ directory: String) throws {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      for (part, count) in [("train", 64), ("t10k", 16)] as [(String, UInt8)] {
        let images: [UInt8] =
          [0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 6, 0, 0, 0, 6]
          + (0..<36 * Int(count)).map { UInt8($0 * 37 % 251) }
        let labels = [0, 0, 8, 1, 0, 0, 0, count] + (0..<count).map { $0 % 10 }
        try Data(images).write(to: URL(fileURLWithPath: "\(directory)/\(part)-images-idx3-ubyte"))
        try Data(labels).write(to: URL(fileURLWithPath: "\(directory)/\(part)-labels-idx1-ubyte"))
      }
    }

    /// A command, and how an option's value is put into it.
    private struct Option: Sendable, CustomTestStringConvertible {
      var command: [String]
      /// With `#` for the number.
      var words: [String]
      var ranks: Int?

      init(_ command: [String], _ words: String..., ranks: Int? = nil) {
        (self.command, self.words, self.ranks) = (command, words, ranks)
      }

      var testDescription: String { (command.prefix(2) + words).joined(separator: " ") }
    }

    private static let train = [
      "train", "--model", "mlp:36-8-10", "--global-batch", "8", "--microbatch", "1", "--max-steps", "3", "--data",
    ]
    private static let unlimited = ["train", "--model", "mlp:36-8-10", "--epochs", "1", "--data"]
    private static let step = ["bench", "step", "--model", "mlp:36-8-10", "--seconds", "0.01", "--data"]

    private static let options = [
      Option(train, "--epochs=#"), Option(train, "--global-batch=#"), Option(train, "--microbatch=#"),
      Option(train, "--global-batch=#", "--microbatch=#"), Option(train, "--learning-rate=#"),
      Option(train, "--optimizer=sgd", "--momentum=#"), Option(train, "--optimizer=sgd", "--weight-decay=#"),
      Option(train, "--optimizer=adamw", "--weight-decay=#"),
      Option(train, "--learning-rate=#", "--on-nonfinite=skip"), Option(train, "--warmup=#"),
      Option(train, "--warmup=#", "--schedule=cosine"), Option(train, "--seed=#"), Option(train, "--seed", "#"),
      Option(train, "--keep=#"), Option(unlimited, "--max-steps=#"), Option(train, "--nonfinite-limit=#"),
      Option(train, "--clip-norm=#"), Option(train, "--sample-clip-norm=#"), Option(train, "--task=binary:#"),
      Option(train, "--model=mlp:#-8-10"),
      Option(train, "--model=mlp:36-#-10"), Option(train, "--model=mlp:36-#-#-10"), Option(train, "--model=mlp:36-8-#"),
      Option(train, "--checkpoint-every=#steps"), Option(train, "--checkpoint-every=#epochs"),
      Option(train, "--checkpoint-every=#min"), Option(train, "--verify-every=#steps"), Option(train, "--max-time=#h"),
      Option(train, "--max-time=#-00:00:01"), Option(train, "--max-time=00:#:01"), Option(train, "--max-time=00:00:#"),
      Option(train, "--stall-warning=#s"), Option(train, "--stall-timeout=#h"),
      Option(step, "--batch=#"), Option(step, "--microbatch=#"), Option(step, "--batch=#", "--microbatch=#"),
      Option(["bench", "allreduce"], "--least=#"), Option(["bench", "allreduce"], "--most=#"),
    ]

    /// Problems of one command's end, none if it is one that a user understands.
    private static func problem(_ outcome: Program.Outcome) -> String? {
      let lines = outcome.errorLines.count
      switch outcome.code {
      case 0: return lines == 0 || outcome.errors.hasPrefix("lockstep: warning: ") ? nil : "0 with \(outcome.errors)"
      case 64, 65, 66, 70, 73, 75:
        return lines == 1 && outcome.errors.hasPrefix("lockstep: ")
          ? nil : "\(outcome.code) with \(lines) lines: \(outcome.errors)"
      default: return "ended with \(outcome.code): \(outcome.errors)"
      }
    }

    private static func check(
      _ command: [String], _ words: [String], ranks: Int? = nil, environment: [String: String] = [:],
      _ scratch: ScratchDirectory, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let run = scratch.file("run")
      try? FileManager.default.removeItem(atPath: run)
      let data = command.last == "--data" ? [scratch.file("data")] : []
      let directory = command[0] == "train" ? ["--run-dir", run] : []
      let outcome = try Program.start(
        command + data + directory + words, ranks: ranks, environment: environment
      ).wait(limit: 30)
      if let problem = problem(outcome) {
        Issue.record("\(words) \(environment): \(problem)", sourceLocation: sourceLocation)
      }
    }

    @Test(arguments: options)
    private func anOptionWithANumberThatNobodyMeant(_ option: Option) throws {
      let scratch = try ScratchDirectory()
      try Self.writeData(scratch.file("data"))
      for number in Self.numbers {
        try Self.check(
          option.command, option.words.map { $0.replacingOccurrences(of: "#", with: number) }, scratch)
      }
      print("\(option.testDescription): \(Self.numbers.count) cases")
    }

    /// What is accepted is measured for two seconds, so most of these are values that are refused.
    @Test(arguments: [
      ("--ranks", ["0", "-1", "100001", "9223372036854775807", "1,,2", "nan"]),
      ("--global-batch", ["0", "-1", "9223372036854775807", "4611686018427387904", "1099511627777"]),
      (
        "--batch-per-rank", ["0", "-1", "9223372036854775807", "4611686018427387904", "1099511627777"]
      ),
      ("--microbatch", ["0", "-1", "9223372036854775808", "4097"]),
      ("--alpha", ["-1", "inf", "1e400", "nan", "1001"]),
      ("--beta", ["-1", "inf", "1e400", "nan", "1001"]), ("--processors", ["0", "-1", "9223372036854775807"]),
    ])
    func aPredictionForNumbersThatNobodyMeant(_ option: String, _ numbers: [String]) throws {
      let scratch = try ScratchDirectory()
      try Self.writeData(scratch.file("data"))
      for number in numbers {
        try Self.check(["bench", "scaling", "--model", "mlp:36-8-10", "--data"], ["\(option)=\(number)"], scratch)
      }
      print("bench scaling \(option): \(numbers.count) cases")
    }

    /// Both sides of a batch, on two ranks and by every way to add.
    @Test(arguments: [[], ["--optimizer-sharding"], ["--reduction", "mpi"], ["--no-shared-memory"]])
    func hugeBatchesOnTwoRanks(_ way: [String]) throws {
      let scratch = try ScratchDirectory()
      try Self.writeData(scratch.file("data"))
      let cases = [
        ("9223372036854775807", "4611686018427387903"), ("4611686018427387904", "32"),
      ]
      for (batch, microbatch) in cases {
        try Self.check(
          Self.train, ["--global-batch=\(batch)", "--microbatch=\(microbatch)"] + way, ranks: 2, scratch)
      }
      print("huge batches on two ranks, \(way): \(cases.count) cases")
    }

    /// What a launcher's variables say must be a rank of so many, and that launcher must be there.
    @Test func ranksThatCannotBe() throws {
      let scratch = try ScratchDirectory()
      try Self.writeData(scratch.file("data"))
      let cases: [(String, String?)] = [
        ("-1", nil), ("-1", "2"), ("text", "2"), ("1.5", "2"), ("9223372036854775807", nil),
        ("9223372036854775808", "2"),
        ("4294967296", "4294967297"), ("2", "2"), ("7", "2"), ("0", "0"), ("0", "-1"), ("0", "text"),
        ("0", "9223372036854775807"), ("0", "2"), ("1", "2"),
      ]
      for (rank, size) in cases {
        var environment = ["OMPI_COMM_WORLD_RANK": rank]
        environment["OMPI_COMM_WORLD_SIZE"] = size
        let outcome = try Program.start(
          Self.train + [scratch.file("data"), "--run-dir", scratch.file("run")], environment: environment
        ).wait(limit: 30)
        #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(environment): \(outcome)")
      }
      print("ranks that cannot be: \(cases.count) cases")
    }
  }
}
