import Checkpoints
import Foundation
import Testing

/// A directory of the cache in which a test installs once what it compares with. One test run at a time has it.
struct PeerDirectory {
  let path: String
  private let lock: RunDirectory

  /// The directory of the peer called `name`. Waits for another test run that has it, two minutes at most.
  init(_ name: String) throws {
    let environment = ProcessInfo.processInfo.environment
    let cache = environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "/tmp")/.cache"
    path = "\(cache)/lockstep/peers-\(name)"
    var lock: RunDirectory?
    for _ in 0..<600 where lock == nil {
      do throws(RunDirectoryError) { lock = try RunDirectory(path) } catch {
        guard case .locked = error else { throw error }
        Thread.sleep(forTimeInterval: 0.2)
      }
    }
    self.lock = try #require(lock, "another test run has held \(path) for two minutes")
  }

  /// Says that something could not be installed. On CI that is a failure.
  func isMissing(_ what: String, because output: String) {
    if ProcessInfo.processInfo.environment["CI"] == "true" {
      Issue.record("\(what) could not be installed: \(output)")
    } else {
      print("SKIPPED: \(what) could not be installed: \(output)")
    }
  }

  /// Runs a program; returns its exit code and all that it printed.
  static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }
}
