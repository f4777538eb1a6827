import Foundation
import Testing

extension ProgramTests {
  /// Streams that are closed, full or read by nobody: the run is the same, and its files hold what is theirs.
  @Suite(.serialized)
  struct StreamTests {
    /// Runs the program with its streams as the shell's words say.
    private func train(_ run: String, _ streams: String) throws -> (code: Int32, errors: String) {
      let shell = Process()
      shell.executableURL = URL(fileURLWithPath: "/bin/bash")
      shell.arguments = [
        "-c", "\"$0\" train --max-steps 30 --run-dir \"$1\" \(streams)", Program.path, run,
      ]
      let errors = Pipe()
      (shell.standardInput, shell.standardError) = (FileHandle.nullDevice, errors)
      shell.standardOutput = FileHandle.nullDevice
      try shell.run()
      let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      shell.waitUntilExit()
      return (shell.terminationStatus, text)
    }

    @Test(
      arguments: [
        ("<&-", 0), (">&-", 0), ("2>&-", 0), ("<&- >&- 2>&-", 0), (">/dev/full", 73), ("2>/dev/full", 0),
        ("| true; exit ${PIPESTATUS[0]}", 73),
      ] as [(String, Int32)])
    func theRunIsTheSame(_ streams: String, _ code: Int32) throws {
      let scratch = try ScratchDirectory()
      let run = scratch.file("run")
      let outcome = try train(run, streams)
      #expect(outcome.code == code, "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == (code == 0 ? 0 : 1), "\(outcome.errors)")
      let lock = try String(contentsOfFile: "\(run)/lock", encoding: .utf8)
      #expect(lock.hasPrefix("process ") && lock.split(separator: "\n").count == 1, "\(lock)")
      #expect(Program.checkpoints(run) == ["step-00000030.safetensors"])
      #expect(FileManager.default.fileExists(atPath: "\(run)/summary.json"))
    }

    /// A log is read while the run goes on, though it is a file.
    @Test func aLineIsThereOnceItIsWritten() throws {
      let scratch = try ScratchDirectory()
      let (run, log) = (scratch.file("run"), scratch.file("log"))
      // An epoch of it takes seconds on any machine.
      let job = try Program.start(["train", "--model", "lstm", "--run-dir", run], script: "exec \"$@\" >'\(log)'")
      func hasEndedAnEpoch() -> Bool { FileManager.default.fileExists(atPath: "\(run)/metrics.jsonl") }
      func said() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
      job.waitUntil { !said().isEmpty || hasEndedAnEpoch() || !job.process.isRunning }
      #expect(!hasEndedAnEpoch())
      #expect(said().hasPrefix("lstm: 81,674 parameters"), "\(said())")
      kill(job.process.processIdentifier, SIGKILL)
      _ = job.wait()
    }
  }
}
