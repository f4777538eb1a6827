import Foundation
import Testing

/// Packages of Python that tests compare with, each set installed once into an environment of its own in the cache directory.
public struct PeerPython {
  private let python: String

  /// An environment called `name` in which `packages` are installed, each importable as one of `modules`; nil, with the reason printed,
  /// where there is no registry to install them from. On CI that is a failure.
  public init?(_ name: String, packages: [String], modules: [String]) throws {
    let directory = try PeerDirectory(name)
    python = "\(directory.path)/environment/bin/python"
    let works = ["-c", "import \(modules.joined(separator: ", "))"]
    if FileManager.default.isExecutableFile(atPath: python) {
      if try run(works).status == 0 { return }
      // Another test may need less of the same: only what is missing is installed then.
      if try run(["-m", "pip", "install", "--quiet"] + packages).status == 0, try run(works).status == 0 { return }
    }

    let created = try PeerDirectory.run(
      "/usr/bin/env", ["python3", "-m", "venv", "--clear", "\(directory.path)/environment"])
    try #require(created.status == 0, "python3 -m venv needs the packages python3 and python3-venv: \(created.output)")
    let installed = try run(["-m", "pip", "install", "--quiet"] + packages)
    if installed.status == 0 { return }
    directory.isMissing(packages.joined(separator: ", "), because: installed.output)
    return nil
  }

  /// Runs Python with these arguments; returns its exit code and all that it printed.
  public func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    try PeerDirectory.run(python, arguments)
  }
}
