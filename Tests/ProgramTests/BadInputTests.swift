import Foundation
import Testing

extension ProgramTests {
  /// Whatever is wrong with what the user gives: one line on standard error, the documented exit code, at 1 and at 3 ranks.
  @Suite(.serialized)
  struct BadInputTests {
    /// A dataset of four 6×6 training images and two test ones, as four files' bytes.
    private static func smallDataset() -> [String: [UInt8]] {
      func images(_ count: UInt8) -> [UInt8] {
        [0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 6, 0, 0, 0, 6] + (0..<36 * Int(count)).map { UInt8($0 % 251) }
      }
      func labels(_ count: UInt8) -> [UInt8] { [0, 0, 8, 1, 0, 0, 0, count] + (0..<count).map { $0 % 10 } }
      return [
        "train-images-idx3-ubyte": images(4), "train-labels-idx1-ubyte": labels(4), "t10k-images-idx3-ubyte": images(2),
        "t10k-labels-idx1-ubyte": labels(2),
      ]
    }

    private static func write(_ files: [String: [UInt8]], to directory: String) throws {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      for (name, bytes) in files { try Data(bytes).write(to: URL(fileURLWithPath: "\(directory)/\(name)")) }
    }

    private static func expectOneLine(
      _ arguments: [String], code: Int32, mentioning words: [String], _ what: String,
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      for ranks in [nil, 3] {
        let outcome = try Program.start(["train"] + arguments, ranks: ranks).wait(limit: 30)
        let at = "\(what) at \(ranks.map(String.init) ?? "no mpirun"): \(outcome.errors)"
        #expect(outcome.code == code, "\(at)", sourceLocation: sourceLocation)
        #expect(outcome.errorLines.count == 1, "\(at)", sourceLocation: sourceLocation)
        for word in words { #expect(outcome.errors.contains(word), "\(at)", sourceLocation: sourceLocation) }
      }
    }

    @Test func theSmallDatasetItselfIsFine() throws {
      let scratch = try ScratchDirectory()
      try Self.write(Self.smallDataset(), to: scratch.file("data"))
      let outcome = try Program.run(
        [
          "train", "--data", scratch.file("data"), "--epochs", "1", "--global-batch", "4", "--microbatch", "1",
          "--run-dir",
          scratch.file("run"),
        ], ranks: 3)
      #expect(outcome.code == 0, "\(outcome.errors)")
    }

    private static let damages: [(what: String, file: String, damage: @Sendable (inout [UInt8]) -> Void)] = [
      ("magic", "train-images-idx3-ubyte", { $0[0] = 1 }),
      ("type", "train-images-idx3-ubyte", { $0[2] = 0x0D }),
      ("rank", "train-images-idx3-ubyte", { $0[3] = 1 }),
      ("overflow", "train-images-idx3-ubyte", { for i in 4..<16 { $0[i] = 0xFF } }),
      ("zero size", "train-images-idx3-ubyte", { $0[11] = 0 }),
      ("truncated", "t10k-images-idx3-ubyte", { $0.removeLast() }),
      ("empty", "t10k-labels-idx1-ubyte", { $0.removeAll() }),
      ("trailing bytes", "train-labels-idx1-ubyte", { $0.append(0) }),
      (
        "counts that differ", "train-labels-idx1-ubyte",
        {
          $0[7] = 3; $0.removeLast()
        }
      ),
      (
        "labels too far apart", "train-labels-idx1-ubyte",
        { $0 = [0, 0, 0x0C, 1, 0, 0, 0, 4] + [UInt8](repeating: 0, count: 12) + [0, 1, 0, 0] }
      ),
      ("gzip damage", "train-images-idx3-ubyte", { $0 = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + $0 }),
    ]

    @Test(arguments: damages.indices)
    func malformedIDX(_ index: Int) throws {
      let (what, file, damage) = Self.damages[index]
      let scratch = try ScratchDirectory()
      var files = Self.smallDataset()
      damage(&files[file, default: []])
      try Self.write(files, to: scratch.file("data"))
      try Self.expectOneLine(
        ["--data", scratch.file("data"), "--run-dir", scratch.file("run")], code: 65, mentioning: ["idx"], what)
    }

    @Test func missingData() throws {
      try Self.expectOneLine(["--data", "/nowhere"], code: 66, mentioning: ["/nowhere"], "no directory")
      let scratch = try ScratchDirectory()
      var files = Self.smallDataset()
      files["t10k-labels-idx1-ubyte"] = nil
      try Self.write(files, to: scratch.file("data"))
      try Self.expectOneLine(["--data", scratch.file("data")], code: 66, mentioning: ["t10k-labels"], "no labels")
    }

    @Test func runDirectoryThatCannotBeWritten() throws {
      let scratch = try ScratchDirectory()
      try Data().write(to: URL(fileURLWithPath: scratch.file("file")))
      try Self.expectOneLine(
        ["--run-dir", scratch.file("file")], code: 73, mentioning: [scratch.file("file")], "a file")
      try Self.expectOneLine(
        ["--run-dir", "/proc/lockstep"], code: 73, mentioning: ["/proc/lockstep"], "a read-only place")
    }

    @Test func tooManyRanksForTheMicrobatches() throws {
      let outcome = try Program.run(["train", "--global-batch", "8", "--microbatch", "4"], ranks: 3)
      #expect(outcome.code == 64)
      #expect(outcome.errorLines.count == 1)
      #expect(outcome.errors.contains("--microbatch"))
    }

    @Test(arguments: [
      (["--model", "resent"], "resent"), (["--model", "mlp:784-"], "mlp:784-"),
      (["--model", "mlp:10-5-1"], "10 inputs"),
      (["--model", "mlp:784-5"], "5 outputs"), (["--task", "binary:12"], "binary:12"), (["--task", "sort"], "sort"),
      (["--epochs", "0"], "--epochs"), (["--epochs", "many"], "many"), (["--global-batch", "0"], "--global-batch"),
      (["--microbatch", "64"], "microbatch"), (["--learning-rate", "nan"], "--learning-rate"),
      (["--warmup", "-1"], "--warmup"), (["--warmup", "9375"], "--warmup"), (["--schedule", "rising"], "rising"),
      (["--recipe", "slow"], "slow"), (["--optimizer", "newton"], "newton"),
      (["--momentum", "0.9"], "--optimizer sgd"), (["--optimizer", "sgd", "--nesterov"], "--momentum"),
      (["--weight-decay", "0.1"], "--optimizer adamw"),
      (["--checkpoint-every", "never"], "never"), (["--no-such-flag"], "--no-such-flag"), (["--keep", "0"], "--keep"),
      (["--max-time", "soon"], "soon"), (["--on-nonfinite", "pray"], "pray"), (["--clip-norm", "0"], "--clip-norm"),
      (["--sample-clip-norm", "inf"], "--sample-clip-norm"),
      (["--augment", "rotat:10"], "--augment"), (["--augment", "crop"], "--augment"), (["--subset", "0"], "--subset"),
      (["--validation", "1"], "--validation"), (["--validation", "some"], "--validation"), (["--ema", "1"], "--ema"),
      (["--early-stopping", "3"], "--validation"), (["--save-best"], "--save-best needs --validation"),
      (["--early-stopping", "0", "--validation", "0.1"], "--early-stopping"),
      (["--scale-learning-rate", "cubic"], "--scale-learning-rate"), (["--labels", "4-0"], "--labels"),
      (["--labels", "a"], "--labels"), (["--labels", "-1"], "--labels"), (["--labels", "1-2-3"], "--labels"),
      (["--nonfinite-limit=-1"], "--nonfinite-limit"), (["--verify-every", "often"], "often"),
    ])
    func argumentsThatCannotBe(_ arguments: [String], _ word: String) throws {
      let scratch = try ScratchDirectory()
      try Self.expectOneLine(
        arguments + ["--run-dir", scratch.file("run")], code: 64, mentioning: [word], "\(arguments)")
    }

    /// The launcher kills the other ranks when one ends with a code: the one line must be said before, however late rank 0 is.
    @Test func wrongArgumentsAreSaidByALateRank() throws {
      let outcome = try Program.run(["train", "--no-such-flag"], ranks: 3, delayingFirst: 0.5)
      #expect(outcome.code == 64)
      #expect(outcome.errorLines.count == 1 && outcome.errors.contains("--no-such-flag"), "\(outcome.errors)")
    }

    /// Rank 0 has nothing against its own arguments: the rank whose they are says it.
    @Test func wrongArgumentsOfAnotherRank() throws {
      let scratch = try ScratchDirectory()
      let arguments = ["train", "--run-dir", scratch.file("run")]
      let outcome = try Program.run(arguments, ranks: 2, others: arguments + ["--no-such-flag"])
      #expect(outcome.code == 64)
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("rank 1 on ") && outcome.errors.contains("--no-such-flag"), "\(outcome.errors)")
    }

    @Test func missingCheckpoint() throws {
      try Self.expectOneLine(["--resume", "/nowhere.safetensors"], code: 66, mentioning: ["/nowhere"], "no checkpoint")
    }

    @Test func ranksWithDifferentArguments() throws {
      let scratch = try ScratchDirectory()
      let arguments = ["train", "--run-dir", scratch.file("run")]
      for (other, word) in [
        (["--seed", "1"], "seed"), (["--global-batch", "64"], "batch"), (["--model", "mlp"], "model"),
        (["--clip-norm", "1"], "has clip_norm 1.0, but rank 0 has no clip_norm;"),
        (["--sample-clip-norm", "1"], "has sample_clip_norm 1.0, but rank 0 has no sample_clip_norm;"),
        (["--augment", "shift:1"], "has augment shift:1, but rank 0 has no augment;"),
        (["--ema", "0.9"], "has ema 0.9"),
        (["--validation", "0.1"], "has validation 0.1"), (["--init-from", "/nowhere"], "has init_from_file /nowhere"),
        (["--freeze", "dense*"], "has freeze dense*"), (["--labels", "0-4"], "rank 1"),
      ] {
        let outcome = try Program.run(arguments, ranks: 3, others: arguments + other)
        #expect(outcome.code == 64, "\(outcome.errors)")
        #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains(word) && outcome.errors.contains("rank 1"))
      }
    }

    /// A failure that only one rank has: its name and host stand in the line.
    @Test func dataMissingOnOneRank() throws {
      let scratch = try ScratchDirectory()
      let arguments = ["train", "--run-dir", scratch.file("run")]
      let outcome = try Program.run(arguments, ranks: 3, others: arguments + ["--data", "/nowhere"])
      #expect(outcome.code == 66, "\(outcome.errors)")
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("rank 1 on \(ProcessInfo.processInfo.hostName)"))
    }

    /// A failure in mid-run ends all ranks: here rank 0 cannot write its checkpoint.
    @Test func checkpointThatCannotBeWritten() throws {
      let scratch = try ScratchDirectory()
      let run = scratch.file("run")
      let job = try Program.start(
        ["train", "--checkpoint-every", "200steps", "--epochs", "50", "--run-dir", run], ranks: 2)
      job.waitForCheckpoint(ofStep: 200, in: run)
      // Root may write where it has no right to; nobody may create a file in a directory that is gone.
      try FileManager.default.removeItem(atPath: "\(run)/checkpoints")
      let outcome = job.wait(limit: 60)
      #expect(outcome.code == 73, "\(outcome.errors)")
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("rank 0") && outcome.errors.contains("checkpoints"))
    }
  }
}
