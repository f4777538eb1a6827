import Checkpoints
import Foundation
import Testing

@Suite struct RunDirectoryTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func failure(_ path: String) -> RunDirectoryError? {
    do throws(RunDirectoryError) {
      _ = try RunDirectory(path)
      return nil
    } catch {
      return error
    }
  }

  @Test func isCreatedWithAllAboveIt() throws {
    let run = try RunDirectory(directory.file("runs/a/b/"))
    #expect(run.checkpoints == directory.file("runs/a/b//checkpoints"))
    #expect(try directory.names() == ["runs"])
  }

  @Test func admitsOneHolder() throws {
    let path = directory.file("run")
    var first: RunDirectory? = try RunDirectory(path)
    #expect(first?.path == path)
    let error = failure(path)
    guard case .locked(path, let holder)? = error else {
      Issue.record("a second holder was admitted: \(String(describing: error))")
      return
    }
    #expect(holder.hasPrefix("process \(ProcessInfo.processInfo.processIdentifier) on "))
    #expect(
      error?.description == "\(path): in use by another job (\(holder)); wait for it to end, or give another directory")
    first = nil
    #expect(failure(path) == nil)
  }

  @Test func isFreeWhenItsHolderIsKilled() throws {
    let path = directory.file("run")
    _ = try RunDirectory(path)
    let holder = Process()
    holder.executableURL = URL(filePath: "/bin/sh")
    // exec: the one process that holds the descriptor is the one that is killed.
    holder.arguments = [
      "-c", "exec 9>\"$0/lock\"; flock 9; echo \"process $$ on here\" >&9; echo; exec sleep 60", path,
    ]
    let output = Pipe()
    holder.standardOutput = output
    try holder.run()
    _ = output.fileHandleForReading.readData(ofLength: 1)
    #expect(failure(path) == .locked(path: path, holder: "process \(holder.processIdentifier) on here"))
    kill(holder.processIdentifier, SIGKILL)
    holder.waitUntilExit()
    #expect(failure(path) == nil)
  }

  @Test func aLockThatIsNoRegularFileIsRefusedAndNotFollowed() throws {
    let path = directory.file("run")
    let lock = "\(path)/lock"
    let victim = directory.file("victim")
    try write("precious".utf8, to: victim)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    for make: () throws -> Void in [
      { try FileManager.default.createSymbolicLink(atPath: lock, withDestinationPath: victim) }, { try makePipe(lock) },
      { try FileManager.default.createDirectory(atPath: lock, withIntermediateDirectories: false) },
    ] {
      try make()
      guard case .unwritable(let error)? = failure(path) else {
        Issue.record("a lock that is none was taken")
        continue
      }
      #expect(error.operation == .open)
      #expect(error.description.hasSuffix("; remove what has the file's name or write to another directory"))
      try FileManager.default.removeItem(atPath: lock)
    }
    #expect(try bytes(of: victim) == Array("precious".utf8))
    #expect(failure(path) == nil)
  }

  @Test func aPathThatIsTooLongIsRefused() throws {
    for path in [String(repeating: "a/", count: 60_000), String(repeating: "a", count: 5000)] {
      guard case .unwritable(let error)? = failure(directory.file(path)) else {
        Issue.record("a path of \(path.count) characters was taken")
        continue
      }
      #expect(error.description.hasSuffix(": mkdir: File name too long; use a shorter name"))
    }
    #expect(try directory.names().isEmpty)
  }

  @Test func saysWhereItCannotWrite() throws {
    let file = directory.file("file")
    try write("x".utf8, to: file)
    for path in [file, file + "/run", "/proc/none/run"] {
      guard case .unwritable(let error)? = failure(path) else {
        Issue.record("\(path) was taken")
        continue
      }
      #expect(!error.description.contains("\n"))
      #expect(error.operation == .createDirectory)
    }
  }

  /// Whoever removes the lock of a live job lets another one in: the first must notice.
  @Test func aLockThatIsRemovedOrReplacedIsNoticed() throws {
    let path = directory.file("run")
    let lock = "\(path)/lock"
    func isHeld(_ run: RunDirectory) -> Bool {
      do throws(RunDirectoryError) { try run.requireLock() } catch {
        #expect(error == .lockLost(path: path))
        #expect(error.description.hasPrefix("\(path): its file lock was removed or replaced"))
        #expect(!error.description.contains("\n"))
        return false
      }
      return true
    }
    let changes: [() throws -> Void] = [
      { try FileManager.default.removeItem(atPath: lock) },
      { try FileManager.default.moveItem(atPath: lock, toPath: "\(lock)-2") },
      {
        try FileManager.default.removeItem(atPath: lock)
        try write("process 1 on here\n".utf8, to: lock)
      },
      {
        try FileManager.default.removeItem(atPath: lock)
        try FileManager.default.createSymbolicLink(atPath: lock, withDestinationPath: "/dev/null")
      },
    ]
    for change in changes {
      let run = try RunDirectory(path)
      #expect(isHeld(run))
      try change()
      #expect(!isHeld(run))
      try FileManager.default.removeItem(atPath: path)
    }
    let first = try RunDirectory(path)
    try FileManager.default.removeItem(atPath: lock)
    let second = try RunDirectory(path)
    #expect(!isHeld(first) && isHeld(second))
    try FileManager.default.removeItem(atPath: path)
    #expect(isHeld(second), "a directory that is gone is for the next write to report")
    print("locks lost: \(changes.count + 1) ways, each noticed")
  }

  @Test func aNewDirectoryIsNobodyElses() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("runs/a")
    let held = try (0..<3).map { _ in try RunDirectory.makeNew(path) }
    #expect(held.map(\.path) == [path, "\(path)-2", "\(path)-3"])
  }
}
