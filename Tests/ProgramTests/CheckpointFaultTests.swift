import Foundation
import Testing

extension ProgramTests {
  /// Checkpoints that are damaged or cannot be written: the quick part of what Tests/slow/checkpoint-faults sweeps.
  @Suite(.serialized)
  struct CheckpointFaultTests {
    private static let recipe = ["train", "--max-steps", "30", "--checkpoint-every", "10steps", "--run-dir"]

    /// A finished run of its own in `scratch`, with checkpoints at 10, 20 and 30.
    private static func finishedRun(_ scratch: ScratchDirectory) throws -> (directory: String, digest: String?) {
      let outcome = try Program.run(recipe + [scratch.file("run")])
      #expect(outcome.code == 0, "\(outcome.errors)")
      return (scratch.file("run"), outcome.weightsDigest)
    }

    private static func checkpoint(_ step: Int, of run: String) -> URL {
      URL(fileURLWithPath: "\(run)/checkpoints/step-000000\(step).safetensors")
    }

    private static func damage(_ file: URL) throws {
      var bytes = try Data(contentsOf: file)
      bytes[bytes.count / 2] ^= 4
      try bytes.write(to: file)
    }

    @Test func fallsBackToTheNewestWholeOneOrRefuses() throws {
      let scratch = try ScratchDirectory()
      let (run, digest) = try Self.finishedRun(scratch)
      try Self.damage(Self.checkpoint(30, of: run))
      for arguments in [["train", "--max-steps", "30", "--run-dir", run, "--strict"], ["evaluate", run, "--strict"]] {
        let strict = try Program.run(arguments, ranks: 2)
        #expect(strict.code == 65, "\(strict.errors)")
        #expect(strict.errorLines.count == 1)
        #expect(strict.errors.contains("step-00000030") && strict.errors.contains("damaged"))
      }
      let resumed = try Program.run(Self.recipe + [run], ranks: 2)
      #expect(resumed.code == 0, "\(resumed.errors)")
      #expect(resumed.errorLines.count == 1 && resumed.errors.hasPrefix("lockstep: warning: "))
      #expect(resumed.output.contains("resumed after step 20"))
      #expect(resumed.weightsDigest == digest)
    }

    @Test func strictMeansTheOlderOnesToo() throws {
      let scratch = try ScratchDirectory()
      let (run, digest) = try Self.finishedRun(scratch)
      try Self.damage(Self.checkpoint(10, of: run))
      #expect(try Program.run(Self.recipe + [run, "--strict"]).code == 65)
      let resumed = try Program.run(Self.recipe + [run])
      #expect(resumed.code == 0 && resumed.errors.isEmpty, "\(resumed.errors)")
      #expect(resumed.weightsDigest == digest)
    }

    @Test func noneWholeIsRefused() throws {
      let scratch = try ScratchDirectory()
      let (run, _) = try Self.finishedRun(scratch)
      for step in [10, 20, 30] { try Self.damage(Self.checkpoint(step, of: run)) }
      let outcome = try Program.run(Self.recipe + [run], ranks: 2)
      #expect(outcome.code == 65)
      #expect(outcome.errorLines.filter { $0.hasPrefix("lockstep: warning: ") }.count == 3, "\(outcome.errors)")
      #expect(outcome.errorLines.count == 4 && outcome.errors.contains("none of its 3 checkpoints is whole"))
    }

    @Test func anotherModelOrDatasetIsRefusedWithBothValues() throws {
      let scratch = try ScratchDirectory()
      let (run, _) = try Self.finishedRun(scratch)
      for (arguments, words) in [
        (["--model", "mlp"], ["model is article there and mlp here"]),
        (["--task", "binary:3"], ["task is classify there and binary:3 here"]),
        (["--seed", "7"], ["seed is 0 there and 7 here"]),
        (["--data", try scratch.otherData()], ["training_data is ", "test_data is "]),
      ] {
        let outcome = try Program.run(Self.recipe + [run] + arguments, ranks: 2)
        #expect(outcome.code == 65, "\(outcome.errors)")
        #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
        for word in words { #expect(outcome.errors.contains(word), "\(outcome.errors)") }
      }
    }

    /// `ulimit -f`: without the signal's being ignored, the kernel would kill the process.
    @Test func aFileSizeLimitIsAnErrorAndKeepsWhatWasThere() throws {
      let scratch = try ScratchDirectory()
      let first = try Program.run(["train", "--max-steps", "10", "--run-dir", scratch.file("run")])
      #expect(first.code == 0)
      let limited = Process()
      let errors = Pipe()
      limited.executableURL = URL(fileURLWithPath: "/bin/bash")
      limited.arguments =
        ["-c", "ulimit -f 100; exec \"$@\"", "-", Program.path] + Self.recipe + [scratch.file("run")]
      limited.standardOutput = FileHandle.nullDevice
      limited.standardError = errors
      try limited.run()
      let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      limited.waitUntilExit()
      #expect(limited.terminationReason == .exit && limited.terminationStatus == 73, "\(text)")
      #expect(text.split(separator: "\n").count == 1 && text.contains("File too large") && text.contains("ulimit -f"))
      let names = try FileManager.default.contentsOfDirectory(atPath: scratch.file("run/checkpoints"))
      #expect(names == ["step-00000010.safetensors"])
      let inspected = try Program.run(["inspect", Self.checkpoint(10, of: scratch.file("run")).path])
      #expect(inspected.code == 0 && inspected.output.contains("checksums match"))
    }

    /// Without its directory a checkpoint cannot be written: the run goes on, and says at its end that nothing was saved.
    @Test(arguments: [nil, 2]) func goesOnWithoutCheckpointsWhereAsked(_ ranks: Int?) throws {
      let scratch = try ScratchDirectory()
      let (run, digest) = try Self.finishedRun(scratch)
      for step in [10, 20, 30] { try FileManager.default.removeItem(at: Self.checkpoint(step, of: run)) }
      // What takes a checkpoint's place under its name cannot be replaced by a file.
      for step in [20, 30] {
        try FileManager.default.createDirectory(
          at: Self.checkpoint(step, of: run).appendingPathComponent("inside"), withIntermediateDirectories: true)
      }
      let arguments = Self.recipe + [run, "--resume", "auto", "--on-checkpoint-failure"]
      // Directories are no whole checkpoints, so the run has to begin elsewhere: at the file that a new run leaves.
      let start = try Program.run(["train", "--max-steps", "10", "--run-dir", scratch.file("start")])
      #expect(start.code == 0)
      try FileManager.default.copyItem(
        at: Self.checkpoint(10, of: scratch.file("start")), to: Self.checkpoint(10, of: run))
      let outcome = try Program.run(arguments + ["continue"], ranks: ranks)
      #expect(outcome.code == 73, "\(outcome.errors)")
      #expect(outcome.weightsDigest == digest)
      let lines = outcome.errorLines.filter { !$0.hasPrefix("lockstep: warning: ") }
      #expect(lines.count == 1 && outcome.errors.contains("warning: cannot write"), "\(outcome.errors)")
      let stopped = try Program.run(arguments + ["stop"], ranks: ranks)
      #expect(stopped.code == 73 && stopped.weightsDigest == nil, "\(stopped.errors)")
    }

    @Test func leftoversOfAKilledJobAreRemoved() throws {
      let scratch = try ScratchDirectory()
      let (run, digest) = try Self.finishedRun(scratch)
      let leftovers = [
        "checkpoints/.step-00000040.safetensors.tmp", ".metrics.jsonl.tmp", ".summary.json.tmp", ".report.html.tmp",
      ]
      for name in leftovers { try Data("half".utf8).write(to: URL(fileURLWithPath: "\(run)/\(name)")) }
      let again = try Program.run(Self.recipe + [run])
      #expect(again.code == 0 && again.weightsDigest == digest)
      for name in leftovers { #expect(!FileManager.default.fileExists(atPath: "\(run)/\(name)"), "\(name)") }
    }

    /// Somebody empties or removes the record of a run that goes on: the next line is written. Where that happens just between a line's
    /// write and the look at the file's size, the line is not there, and that is an error: then once more.
    @Test(arguments: [false, true], ["stop", "continue"])
    func aRecordThatIsLostIsBegunAnew(_ isRemoved: Bool, _ onFailure: String) throws {
      for _ in 0..<10 {
        let (outcome, found) = try Self.losingItsRecord(isRemoved: isRemoved, onFailure)
        if outcome.code == 73 && onFailure == "stop" && outcome.errors.contains("Input/output error") { continue }
        let lines = outcome.errorLines.filter { !$0.hasPrefix("lockstep: warning: cannot write") }
        #expect(outcome.code == 75 && lines.count == 1, "\(outcome.errors)")
        #expect(found.count > 3 && found == Array(found[0]..<found[0] + found.count), "\(found)")
        return
      }
      Issue.record("the record was lost in the middle of a write ten times")
    }

    /// How a run ends that loses its record, and is stopped once there are lines again; and the epochs of these.
    private static func losingItsRecord(
      isRemoved: Bool, _ onFailure: String
    ) throws -> (outcome: Program.Outcome, epochs: [Int]) {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let (run, metrics) = (scratch.file("run"), scratch.file("run/metrics.jsonl"))
      // A pipe that nobody reads yet would hold up who writes to it.
      let job = try Program.start(
        [
          "train", "--data", scratch.file("data"), "--global-batch", "32", "--epochs", "100000000", "--run-dir", run,
          "--on-checkpoint-failure", onFailure, "--checkpoint-every", "10epochs",
        ], script: "exec \"$@\" >/dev/null")
      func epochs() -> [Int] {
        ((try? String(contentsOfFile: metrics, encoding: .utf8)) ?? "").matches(of: /"epoch":(\d+)/).compactMap {
          Int($0.1)
        }
      }
      job.waitUntil { epochs().count > 3 }
      if isRemoved {
        try FileManager.default.removeItem(atPath: metrics)
      } else {
        try Data().write(to: URL(filePath: metrics))
      }
      job.waitUntil { epochs().count > 3 && epochs()[0] > 3 }
      job.process.terminate()
      return (job.wait(limit: 60), epochs())
    }

    /// A pipe in the place of a file of the run's blocks nobody.
    @Test(arguments: ["metrics.jsonl", "config.json", "summary.json", "report.html", "lock", "checkpoints"])
    func aPipeBlocksNobody(_ name: String) throws {
      let scratch = try ScratchDirectory()
      let (run, _) = try Self.finishedRun(scratch)
      let path = "\(run)/\(name)"
      try FileManager.default.removeItem(atPath: path)
      try #require(unsafe mkfifo(path, 0o666) == 0)
      let outcome = try Program.start(Self.recipe + [run, "--max-steps", "40"]).wait(limit: 30)
      // What is replaced whole needs no care.
      let isReplaced = name.hasSuffix(".json") || name.hasSuffix(".html")
      #expect(isReplaced ? outcome.code == 0 : [65, 73].contains(outcome.code), "\(outcome.code): \(outcome.errors)")
      #expect(outcome.errorLines.count == (isReplaced ? 0 : 1), "\(outcome.errors)")
    }

    /// An epoch's line is written before its checkpoint; a run that repeats the epoch must not write it twice.
    @Test func repeatedEpochsHaveOneLine() throws {
      let scratch = try ScratchDirectory()
      let arguments = ["train", "--epochs", "2", "--global-batch", "3750", "--microbatch", "470", "--run-dir"]
      let run = scratch.file("run")
      #expect(try Program.run(arguments + [run]).code == 0)
      let metrics = URL(fileURLWithPath: "\(run)/metrics.jsonl")
      let before = try String(contentsOf: metrics, encoding: .utf8).split(separator: "\n").count
      #expect(before == 2)
      try FileManager.default.removeItem(atPath: "\(run)/checkpoints/step-00000032.safetensors")
      #expect(try Program.run(arguments + [run]).code == 0)
      #expect(try String(contentsOf: metrics, encoding: .utf8).split(separator: "\n").count == 2)
    }
  }
}
