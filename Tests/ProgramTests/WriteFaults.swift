import Foundation
import Testing

/// Faults of the system calls that write a file, each call of them failed in turn.
struct WriteFaults {
  /// Fails the call that `LOCKSTEP_FAULT` names, as in `write 2`, on a file in a directory called `drawn`.
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
      if (!fault || strncmp(fault, call, length) || fault[length] != ' ' || !strstr(path, "drawn")) return 0;
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

  /// Runs the program with `arguments` of a file's path, once for each call that it writes this file with, and that call
  /// failing: the old file or the new one is there afterwards, no other, and the program ends with 73 and one line.
  func sweep(_ name: String, _ arguments: (String) -> [String]) throws {
    let directory = scratch.file("drawn")
    let file = URL(fileURLWithPath: "\(directory)/\(name)")
    let old = Data("old".utf8)
    func run(_ fault: String?) throws -> Program.Outcome {
      try? FileManager.default.removeItem(atPath: directory)
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      try old.write(to: file)
      let environment = fault.map { ["LOCKSTEP_FAULT": $0, "LD_PRELOAD": library] } ?? [:]
      return try Program.run(arguments(file.path), environment: environment)
    }
    #expect(try run(nil).code == 0)
    let whole = try Data(contentsOf: file)
    #expect(whole != old)
    var faults = 0
    for call in ["open", "write", "fsync", "close", "rename"] {
      for number in 1... {
        let outcome = try run("\(call) \(number)")
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
}
