import Foundation
import Lockstep
import Testing

/// Faults of the system calls that write a file, each call of them failed in turn.
struct WriteFaults {
  /// Fails the call that `LOCKSTEP_FAULT` names, as in `write 2`, on files whose paths hold `LOCKSTEP_FAULT_ON`.
  private static let source = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <stdarg.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <unistd.h>
    static int due(const char *call, const char *path) {
      static int count;
      const char *fault = getenv("LOCKSTEP_FAULT");
      size_t length = strlen(call);
      if (!fault || strncmp(fault, call, length) || fault[length] != ' ' || !strstr(path, getenv("LOCKSTEP_FAULT_ON"))) return 0;
      if (++count != atoi(fault + length)) return 0;
      errno = EIO;
      return 1;
    }
    static int dueOn(const char *call, int file) {
      char link[64], path[4096] = {0};
      snprintf(link, sizeof link, "/proc/self/fd/%d", file);
      return readlink(link, path, sizeof path - 1) > 0 && due(call, path);
    }
    #define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
    ssize_t write(int f, const void *b, size_t n) { return dueOn("write", f) ? -1 : REAL(write)(f, b, n); }
    int fsync(int f) { return dueOn("fsync", f) ? -1 : REAL(fsync)(f); }
    int close(int f) { int bad = dueOn("close", f), result = REAL(close)(f); return bad ? errno = EIO, -1 : result; }
    int rename(const char *a, const char *b) { return due("rename", b) ? -1 : REAL(rename)(a, b); }
    int open(const char *path, int flags, ...) {
      va_list more;
      va_start(more, flags);
      int mode = va_arg(more, int);
      va_end(more);
      return due("open", path) ? -1 : REAL(open)(path, flags, mode);
    }
    """

  private let scratch: ScratchDirectory
  private var library: String { scratch.file("faults.so") }

  /// Compiles the library into `scratch`.
  init(_ scratch: ScratchDirectory) throws {
    self.scratch = scratch
    try Self.source.write(toFile: scratch.file("faults.c"), atomically: true, encoding: .utf8)
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    compiler.arguments = ["clang", "-shared", "-fPIC", "-O2", scratch.file("faults.c"), "-o", library, "-ldl"]
    try compiler.run()
    compiler.waitUntilExit()
    try #require(compiler.terminationStatus == 0)
  }

  /// The variables with which a process fails the call of this number on files whose paths hold `path`.
  func environment(_ call: String, _ number: Int, on path: String) -> [String: String] {
    ["LOCKSTEP_FAULT": "\(call) \(number)", "LOCKSTEP_FAULT_ON": path, "LD_PRELOAD": library]
  }

  private static let calls = ["open", "write", "fsync", "close", "rename"]

  /// Runs the program with `arguments` once for each call that it writes this file with, and that call
  /// failing: the old file or the new one is there afterwards, no other, and the program ends with 73 and one line.
  func sweep(_ name: String, _ arguments: (String) -> [String]) throws {
    let directory = scratch.file("drawn")
    let file = URL(fileURLWithPath: "\(directory)/\(name)")
    let old = Data("old".utf8)
    func run(_ environment: [String: String]) throws -> Program.Outcome {
      try? FileManager.default.removeItem(atPath: directory)
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      try old.write(to: file)
      return try Program.run(arguments(file.path), environment: environment)
    }
    #expect(try run([:]).code == 0)
    let whole = try Data(contentsOf: file)
    #expect(whole != old)
    var faults = 0
    for call in Self.calls {
      for number in 1... {
        let outcome = try run(environment(call, number, on: "drawn"))
        let left = try FileManager.default.contentsOfDirectory(atPath: directory)
        let found = try Data(contentsOf: file)
        #expect(left == [name], "\(call) \(number): \(left)")
        #expect(found == whole || found == old, "\(call) \(number)")
        guard outcome.code != 0 else {
          #expect(found == whole && number > 1, "\(call) \(number): nothing to fail, or nobody noticed")
          break
        }
        #expect(outcome.code == 73 && outcome.errorLines.count == 1, "\(call) \(number): \(outcome.errors)")
        faults += 1
      }
    }
    print("\(faults) faults while \(name) was written")
  }

  /// Runs the program with `arguments`, which train in the directory `run`, once for each call on files whose paths hold `path`, and that
  /// call failing. It ends with 73 and one line or, if it `goesOn`, with 0 and warnings; once the call works, the same command ends with
  /// each epoch once, in every file that has them. Returns the number of faults.
  func count(of path: String, in run: String, _ arguments: [String], goesOn: Bool = false) throws -> Int {
    let arguments = arguments + (goesOn ? ["--on-checkpoint-failure", "continue"] : [])
    var faults = 0
    for call in Self.calls {
      for number in 1... {
        try? FileManager.default.removeItem(atPath: run)
        let outcome = try Program.run(arguments, environment: environment(call, number, on: path))
        let fault = "\(path), \(call) \(number)"
        if outcome.code == 0 && outcome.errors.isEmpty { break }
        faults += 1
        if goesOn {
          #expect(
            outcome.code == 0 && outcome.errorLines.allSatisfy { $0.hasPrefix("lockstep: warning: cannot write ") },
            "\(fault): \(outcome.code) \(outcome.errors)")
        } else {
          #expect(outcome.code == 73 && outcome.errorLines.count == 1, "\(fault): \(outcome.errors)")
          #expect(try Program.run(arguments).code == 0, "\(fault)")
        }
        for (name, found) in try epochs(in: run) {
          #expect(found == ["1", "2", "3"], "\(fault): \(name) has \(found)")
        }
        let left = try FileManager.default.subpathsOfDirectory(atPath: run).filter { $0.hasSuffix(".tmp") }
        #expect(left == [], "\(fault)")
      }
    }
    return faults
  }

  /// The epochs that the files of the run have: `metrics.jsonl`, `metrics.csv` and all event files together.
  private func epochs(in run: String) throws -> [String: [String]] {
    func lines(_ name: String) throws -> [Substring] {
      try String(contentsOfFile: "\(run)/\(name)", encoding: .utf8).split(separator: "\n")
    }
    var events: [String] = []
    for name in try FileManager.default.contentsOfDirectory(atPath: run).sorted() where name.hasPrefix("events.out") {
      let bytes = Array(try Data(contentsOf: URL(filePath: "\(run)/\(name)")))
      // An epoch's event begins with the tag `epoch`.
      for event in EventRecord.contents(of: bytes) {
        guard let head = TensorBoardEvent.Head(of: event), head.firstTag == "epoch" else { continue }
        events.append("\(head.step / 6)")
      }
    }
    return [
      "metrics.jsonl": try lines("metrics.jsonl").compactMap {
        $0.firstMatch(of: /"epoch":(\d+)/).map { String($0.1) }
      },
      "metrics.csv": try lines("metrics.csv").dropFirst().compactMap {
        $0.split(separator: ",").first.map(String.init)
      },
      "the event files": events,
    ]
  }
}
