import Checkpoints
import Foundation
import Testing

/// Packages of Python that tests compare with, each set installed once into an environment of its own in the cache directory.
public struct PeerPython {
  private let python: String

  /// An environment called `name` in which `packages` are installed, each importable as one of `modules`; nil, with the reason printed,
  /// where there is no registry to install them from. On CI that is a failure.
  public init?(_ name: String, packages: [String], modules: [String]) throws {
    let environment = ProcessInfo.processInfo.environment
    let cache = environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "/tmp")/.cache"
    let path = "\(cache)/lockstep/peers-\(name)"
    python = "\(path)/environment/bin/python"

    // Two test runs at once must not install into one environment.
    var lock: RunDirectory?
    for _ in 0..<600 where lock == nil {
      do throws(RunDirectoryError) { lock = try RunDirectory(path) } catch {
        guard case .locked = error else { throw error }
        Thread.sleep(forTimeInterval: 0.2)
      }
    }
    try #require(lock != nil, "another test run has held \(path) for two minutes")
    let works = ["-c", "import \(modules.joined(separator: ", "))"]
    if FileManager.default.isExecutableFile(atPath: python), try run(works).status == 0 { return }

    let created = try Self.run("/usr/bin/env", ["python3", "-m", "venv", "--clear", "\(path)/environment"])
    try #require(created.status == 0, "python3 -m venv needs the packages python3 and python3-venv: \(created.output)")
    let installed = try run(["-m", "pip", "install", "--quiet"] + packages)
    if installed.status == 0 { return }
    if environment["CI"] == "true" {
      Issue.record("\(packages.joined(separator: ", ")) could not be installed: \(installed.output)")
    } else {
      print("SKIPPED: \(packages.joined(separator: ", ")) could not be installed: \(installed.output)")
    }
    return nil
  }

  /// Runs Python with these arguments; returns its exit code and all that it printed.
  public func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    try Self.run(python, arguments)
  }

  private static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
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
