import Foundation
import Testing

/// A program of a Debian package that tests call, unpacked once into the cache directory: nothing is installed, and no service starts.
public struct DebianProgram {
  private let path: String

  /// The `program` of `package`, that of the machine if it has it; nil, with the reason printed, where there is no registry to get it from.
  /// On CI that is a failure.
  public init?(_ program: String, package: String) throws {
    let directory = try PeerDirectory(program)
    path = "\(directory.path)/unpacked/usr/bin/\(program)"
    if FileManager.default.isExecutableFile(atPath: path) { return }
    // The lists of packages may be missing or old.
    let script = """
      set -e
      rm -rf "$1/unpacked" "$1/download"
      mkdir "$1/download"
      cd "$1/download"
      get() { apt-get -q -o APT::Sandbox::User=root download "$2"; }
      get "$@" || { apt-get -q -o DPkg::Lock::Timeout=120 update; get "$@"; }
      dpkg-deb -x *.deb "$1/download/files"
      mv "$1/download/files" "$1/unpacked"
      rm -rf "$1/download"
      """
    let unpacked = try PeerDirectory.run("/bin/sh", ["-c", script, "sh", directory.path, package])
    if unpacked.status == 0 && FileManager.default.isExecutableFile(atPath: path) { return }
    directory.isMissing("\(program) of \(package)", because: unpacked.output)
    return nil
  }

  /// Runs the program with these arguments and the file `input`; returns its exit code and all that it printed.
  public func run(_ arguments: [String], input: String) throws -> (status: Int32, output: String) {
    let script = "file=$1; shift; exec \"$0\" \"$@\" <\"$file\""
    return try PeerDirectory.run("/bin/sh", ["-c", script, path, input] + arguments)
  }
}
