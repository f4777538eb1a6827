import Foundation
import Testing

extension ProgramTests {
  /// Images drawn from checkpoints.
  @Suite(.serialized)
  struct GenerateTests {
    /// A short run of `model` in `scratch`.
    private static func train(_ model: String, _ scratch: ScratchDirectory) throws -> String {
      try SmallSet().write(to: scratch.file("data"))
      let run = scratch.file(model)
      let outcome = try Program.run(
        ["train", "--model", model, "--epochs", "1", "--data", scratch.file("data"), "--run-dir", run])
      #expect(outcome.code == 0, "\(outcome.errors)")
      return run
    }

    private static func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    @Test(arguments: ["gpt", "wavenet"])
    func theSameSeedIsTheSamePicture(_ model: String) throws {
      let scratch = try ScratchDirectory()
      let run = try Self.train(model, scratch)
      let checkpoint = "\(run)/checkpoints/\(try #require(Program.checkpoints(run).last))"
      var pictures: [Data] = []
      for (number, (arguments, ranks)) in [
        ([run], nil), (["--run-dir", run], nil), ([checkpoint], 3), ([run, "--seed", "1"], nil),
        ([run, "--temperature", "0.2"], nil),
      ].enumerated() as EnumeratedSequence<[([String], Int?)]> {
        let picture = scratch.file("\(number).png")
        let outcome = try Program.run(["generate", "--count", "20", "--output", picture] + arguments, ranks: ranks)
        #expect(outcome.code == 0 && outcome.errorLines.isEmpty, "\(outcome.errors)")
        #expect(outcome.output.hasPrefix("\(picture): 20 images of ") && outcome.output.hasSuffix("\n"))
        pictures.append(try Self.bytes(picture))
      }
      #expect(pictures[0] == pictures[1] && pictures[0] == pictures[2], "another way to the same picture")
      #expect(Set(pictures).count == 3)
      #expect(pictures[0].starts(with: [0x89, 0x50, 0x4E, 0x47]))
    }

    @Test func whatCannotDrawIsOneLine() throws {
      let scratch = try ScratchDirectory()
      let (gpt, mlp) = (try Self.train("gpt", scratch), try Self.train("mlp", scratch))
      let newest = "\(gpt)/checkpoints/\(try #require(Program.checkpoints(gpt).last))"
      var damaged = try Self.bytes(newest)
      damaged[damaged.count / 2] ^= 4
      try damaged.write(to: URL(fileURLWithPath: scratch.file("damaged.safetensors")))
      let picture = scratch.file("picture.png")
      let output = ["--output", picture]
      for (arguments, code, words) in [
        ([mlp] + output, 64, "is of model mlp, which predicts no pixels"),
        ([scratch.file("damaged.safetensors")] + output, 65, "damaged"),
        ([scratch.file("data/train-images-idx3-ubyte")] + output, 65, "header"),
        ([scratch.file("none")] + output, 66, "none"),
        ([gpt, "--output", scratch.file("no/picture.png")], 73, "no/picture.png"),
        ([gpt, "--output", scratch.path], 73, "rename"),
        (output, 64, "--run-dir"), ([gpt, "--run-dir", gpt] + output, 64, "--run-dir"), ([gpt], 64, "--output"),
        ([gpt, "--count", "0"] + output, 64, "--count 0"), ([gpt, "--count", "10001"] + output, 64, "--count"),
        ([gpt, "--temperature", "-1"] + output, 64, "--temperature"),
        ([gpt, "--temperature", "nan"] + output, 64, "--temperature"), ([gpt, "--seed", "-1"] + output, 64, "--seed"),
      ] as [([String], Int32, String)] {
        let outcome = try Program.run(["generate"] + arguments)
        #expect(outcome.code == code, "\(arguments): \(outcome.code) \(outcome.errors)")
        #expect(outcome.errorLines.count == 1 && outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: picture))
      }
    }

    /// Fails the Nth call of the name that LOCKSTEP_FAULT says, on files with `picture` in their path or on their directory.
    private static let faults = """
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

    /// The old picture or the new one, whatever fails, and no other file left.
    @Test func aFaultAtEveryCallKeepsAWholePicture() throws {
      let scratch = try ScratchDirectory()
      let run = try Self.train("wavenet", scratch)
      try Self.faults.write(toFile: scratch.file("faults.c"), atomically: true, encoding: .utf8)
      let compiler = Process()
      compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      compiler.arguments = [
        "clang", "-shared", "-fPIC", "-O2", scratch.file("faults.c"), "-o", scratch.file("faults.so"), "-ldl",
      ]
      try compiler.run()
      compiler.waitUntilExit()
      try #require(compiler.terminationStatus == 0)

      let picture = scratch.file("drawn/picture.png")
      func draw(_ fault: String?) throws -> Program.Outcome {
        try? FileManager.default.removeItem(atPath: scratch.file("drawn"))
        try FileManager.default.createDirectory(atPath: scratch.file("drawn"), withIntermediateDirectories: true)
        try Data("old".utf8).write(to: URL(fileURLWithPath: picture))
        let environment = fault.map { ["LOCKSTEP_FAULT": $0, "LD_PRELOAD": scratch.file("faults.so")] } ?? [:]
        return try Program.run(["generate", run, "--count", "2", "--output", picture], environment: environment)
      }
      #expect(try draw(nil).code == 0)
      let whole = try Self.bytes(picture)
      var faults = 0
      for call in ["open", "write", "fsync", "close", "rename"] {
        for number in 1... {
          let outcome = try draw("\(call) \(number)")
          let left = try FileManager.default.contentsOfDirectory(atPath: scratch.file("drawn"))
          let found = try Self.bytes(picture)
          #expect(left == ["picture.png"], "\(call) \(number): \(left)")
          #expect(found == whole || found == Data("old".utf8), "\(call) \(number)")
          guard outcome.code != 0 else {
            #expect(found == whole && number > 1, "\(call) \(number): nothing to fail, or nobody noticed")
            break
          }
          #expect(outcome.code == 73 && outcome.errorLines.count == 1, "\(call) \(number): \(outcome.errors)")
          faults += 1
        }
      }
      print("\(faults) faults while a picture was written")
    }
  }
}
