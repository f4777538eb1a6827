import Foundation
import Testing

/// Jobs that fail, seen from outside: each test starts mpirun, and this process is no rank. `launch/test` runs them once.
@Suite(.serialized) struct JobTests {
  /// What rank 1 does, mpirun's exit code, and what some rank says of it, where one is left to.
  static let failures: [(RankFailure, Int32, String?)] = [
    (.throwsAtBarrier, 70, "made up"), (.throwsInExchange, 70, "made up"), (.throwsAtAllreduce, 70, "made up"),
    (.exits, 7, nil), (.isKilled, 128 + 9, nil), (.stops, 70, "the other ranks have not answered for 2 s"),
    (.stopsInExchange, 70, "rank 1 has not answered for 2 s"),
  ]

  @Test(arguments: failures)
  func `A rank that fails ends the job and leaves no process`(
    failure: RankFailure, code: Int32, line: String?
  ) throws {
    for ranks in [2, 3] {
      let job = try Job(ranks: ranks, failure: failure)
      #expect(job.code == code, "\(failure) at \(ranks) ranks: \(job.errors)")
      if let line { #expect(job.errors.contains(line)) }
      #expect(!job.output.contains("ran at"), "no rank may think that all went well")
      #expect(job.processesLeft.isEmpty)
    }
  }
}

/// A job of ``FailingRanks``, from its start to its end.
private struct Job {
  var code: Int32
  var output: String
  var errors: String
  /// The ids of processes that the job started and that are still there.
  var processesLeft: [String]

  /// Runs the job. `timeout` ends one that hangs, with code 124, or 137 where it must kill.
  init(ranks: Int, failure: RankFailure) throws {
    let mark = "LOCKSTEP_TEST_JOB=\(UUID().uuidString)"
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", mark,
      "\(RankFailure.variable)=\(failure.rawValue)", "timeout", "--kill-after=5", "60", "mpirun", "--quiet",
      "--oversubscribe", "-n", "\(ranks)", try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
      "--testing-library", "swift-testing", "--filter", "MPITests.FailingRanks",
    ]
    // Files, not pipes: a rank that is left alone would hold a pipe open, and this test would wait for its end.
    let directory = FileManager.default.temporaryDirectory.appending(path: "lockstep-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let files = try ["output", "errors"].map { name in
      let file = directory.appending(path: name)
      try Data().write(to: file)
      return (path: file, handle: try FileHandle(forWritingTo: file))
    }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = files[0].handle
    process.standardError = files[1].handle
    try process.run()
    process.waitUntilExit()
    code = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    output = String(decoding: try Data(contentsOf: files[0].path), as: UTF8.self)
    errors = String(decoding: try Data(contentsOf: files[1].path), as: UTF8.self)
    // What mpirun kills may outlive it by a moment; what is left for good is still there after ten seconds.
    processesLeft = try Self.processes(with: mark)
    for _ in 0..<100 where !processesLeft.isEmpty {
      Thread.sleep(forTimeInterval: 0.1)
      processesLeft = try Self.processes(with: mark)
    }
  }

  /// The processes in whose environment `mark` stands; ranks inherit it from mpirun.
  private static func processes(with mark: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { entry in
      guard Int(entry) != nil, let environment = FileManager.default.contents(atPath: "/proc/\(entry)/environ")
      else { return false }
      return String(decoding: environment, as: UTF8.self).contains(mark)
    }
  }
}
