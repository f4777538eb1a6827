import Foundation
import Lockstep
import Testing

/// A data set of the test's making: `samples` training and half as many test images of 8 × 8, with labels that the images show.
struct SmallSet {
  var labels: ClosedRange<Int> = 0...9
  var samples = 192
  /// What the files' names begin with, and what the test part is called.
  var prefix = ""
  var test = "t10k"
  /// Whether labels are 32-bit, of eight columns.
  var hasWideLabels = false
  /// The labels that the test part has; nil for all.
  var testLabels: ClosedRange<Int>?

  func write(to directory: String) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for (part, count, labels) in [("train", samples, labels), (test, samples / 2, testLabels ?? labels)] {
      let values = (0..<count).map { labels.lowerBound + $0 % labels.count }
      var pixels: [UInt8] = []
      for (index, label) in values.enumerated() {
        for place in 0..<64 {
          let isLit = place % (abs(label) + 2) == 0
          pixels.append(UInt8(isLit ? 200 + index % 50 : (index * 31 + place * 3) % 128))
        }
      }
      try Self.file([0, 0, 8, 3], [count, 8, 8], pixels)
        .write(to: URL(fileURLWithPath: "\(directory)/\(prefix)\(part)-images-idx3-ubyte"))
      let (header, extents, name) =
        hasWideLabels ? ([0, 0, 0x0C, 2] as [UInt8], [count, 8], "idx2-int") : ([0, 0, 8, 1], [count], "idx1-ubyte")
      var elements: [UInt8] = []
      for label in values {
        elements += hasWideLabels ? Self.word(label) + [UInt8](repeating: 9, count: 28) : [UInt8(label)]
      }
      try Self.file(header, extents, elements)
        .write(to: URL(fileURLWithPath: "\(directory)/\(prefix)\(part)-labels-\(name)"))
    }
  }

  static func file(_ header: [UInt8], _ extents: [Int], _ elements: [UInt8]) -> Data {
    Data(header + extents.flatMap(word) + elements)
  }

  private static func word(_ number: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) } }
}

extension ProgramTests {
  /// Any number of classes, from any label on: trained, evaluated, and gone on with at another number of ranks.
  @Suite(.serialized)
  struct ClassesTests {
    private static let sets: [(what: String, set: SmallSet, recipe: [String: String])] = [
      ("digits", SmallSet(), [:]),
      ("digits of which some are missing", SmallSet(labels: 2...5), [:]),
      (
        "EMNIST letters", SmallSet(labels: 1...26, prefix: "emnist-letters-", test: "test"),
        ["classes": "26", "first_label": "1"]
      ),
      ("EMNIST balanced", SmallSet(labels: 0...46, prefix: "emnist-balanced-", test: "test"), ["classes": "47"]),
      ("EMNIST by class", SmallSet(labels: 0...61, prefix: "emnist-byclass-", test: "test"), ["classes": "62"]),
      ("QMNIST", SmallSet(prefix: "qmnist-", test: "test", hasWideLabels: true), [:]),
      ("wide labels", SmallSet(labels: 300...311, hasWideLabels: true), ["classes": "12", "first_label": "300"]),
      ("negative labels", SmallSet(labels: -1...1, hasWideLabels: true), ["classes": "3", "first_label": "-1"]),
      ("one class", SmallSet(labels: 77...77), ["classes": "1", "first_label": "77"]),
      ("a byte's worth", SmallSet(labels: 0...255, samples: 512), ["classes": "256"]),
      (
        "letters that the test part lacks", SmallSet(labels: 1...26, testLabels: 3...4),
        ["classes": "26", "first_label": "1"]
      ),
    ]

    /// The recipe's lines about classes in a checkpoint, as `inspect` shows them.
    private static func recipe(_ run: String) throws -> [String: String] {
      let newest = try #require(Program.checkpoints(run).last)
      let shown = try Program.run(["inspect", "\(run)/checkpoints/\(newest)"])
      #expect(shown.code == 0, "\(shown.errors)")
      var found: [String: String] = [:]
      for key in ["classes", "first_label"] { found[key] = shown.value(of: "  recipe.\(key)") }
      return found
    }

    @Test(arguments: sets.indices)
    func trainEvaluateAndGoOn(_ index: Int) throws {
      let (what, set, recipe) = Self.sets[index]
      let scratch = try ScratchDirectory()
      try set.write(to: scratch.file("data"))
      let data = ["--data", scratch.file("data")]
      let arguments = ["train", "--global-batch", "32", "--microbatch", "4", "--epochs", "4"] + data
      let whole = try Program.run(arguments + ["--run-dir", scratch.file("whole")], ranks: 2)
      #expect(whole.code == 0, "\(what): \(whole.errors)")
      let first = try Program.run(arguments + ["--max-steps", "8", "--run-dir", scratch.file("parts")])
      #expect(first.code == 0, "\(what): \(first.errors)")
      let second = try Program.run(arguments + ["--run-dir", scratch.file("parts")], ranks: 3)
      #expect(second.code == 0 && second.output.contains("resumed after step 8"), "\(what): \(second.errors)")
      #expect(second.weightsDigest == whole.weightsDigest, "\(what)")
      #expect(try Self.recipe(scratch.file("parts")) == recipe, "\(what)")
      for ranks in [nil, 2] {
        let evaluated = try Program.run(["evaluate", scratch.file("parts")] + data, ranks: ranks)
        #expect(evaluated.code == 0, "\(what): \(evaluated.errors)")
        #expect(evaluated.value(of: "Test accuracy") == whole.value(of: "Test accuracy"), "\(what)")
      }
      print("\(what): trained, resumed and evaluated")
    }

    @Test func oneLabelAgainstTheRest() throws {
      let scratch = try ScratchDirectory()
      try SmallSet(labels: 1...26).write(to: scratch.file("data"))
      let arguments = ["train", "--data", scratch.file("data"), "--epochs", "2", "--run-dir", scratch.file("run")]
      for (task, code) in [("binary:26", 0), ("binary:0", 64), ("binary:27", 64), ("binary:-1", 64)]
        as [(String, Int32)]
      {
        let outcome = try Program.run(arguments + ["--task", task])
        #expect(outcome.code == code, "\(task): \(outcome.errors)")
        if code != 0 { #expect(outcome.errorLines.count == 1 && outcome.errors.contains("its labels are 1 to 26")) }
      }
      #expect(try Program.run(["evaluate", scratch.file("run"), "--data", scratch.file("data")]).code == 0)
    }

    /// An evaluation knows the classes from the checkpoint: other labels are refused, and not taken for others.
    @Test func labelsThatTheCheckpointDoesNotKnowAreRefused() throws {
      let scratch = try ScratchDirectory()
      try SmallSet(labels: 1...26).write(to: scratch.file("letters"))
      try SmallSet(labels: 0...46).write(to: scratch.file("balanced"))
      let arguments = ["train", "--epochs", "1", "--run-dir", scratch.file("run")]
      #expect(try Program.run(arguments + ["--data", scratch.file("letters")]).code == 0)
      for ranks in [nil, 2] {
        let evaluated = try Program.run(
          ["evaluate", scratch.file("run"), "--data", scratch.file("balanced")], ranks: ranks)
        #expect(evaluated.code == 65 && evaluated.errorLines.count == 1, "\(evaluated.errors)")
        #expect(evaluated.errors.contains("label 0 at index 0 is not one of 1 to 26"), "\(evaluated.errors)")
      }
      let resumed = try Program.run(arguments + ["--data", scratch.file("balanced")])
      #expect(resumed.code == 65 && resumed.errorLines.count == 1, "\(resumed.errors)")
      #expect(resumed.errors.contains("classes is 26 there and 47 here"), "\(resumed.errors)")
    }

    /// The last checkpoint of a run of 5 steps by the program as it was before there were other classes than ten.
    @Test func aCheckpointFromBeforeGoesOn() throws {
      let scratch = try ScratchDirectory()
      try OldCheckpoint.writeDataset(to: scratch.file("data"))
      let checkpoint = scratch.file("step-00000005.safetensors")
      try #require(Data(base64Encoded: OldCheckpoint.base64, options: .ignoreUnknownCharacters))
        .write(to: URL(fileURLWithPath: checkpoint))
      let arguments = OldCheckpoint.arguments + ["--data", scratch.file("data")]
      let whole = try Program.run(arguments + ["--run-dir", scratch.file("whole")])
      let resumed = try Program.run(arguments + ["--resume", checkpoint, "--run-dir", scratch.file("run")], ranks: 2)
      #expect(resumed.code == 0 && resumed.output.contains("resumed after step 5"), "\(resumed.errors)")
      // Other kernels than those that it was made with give a warning, and other bits.
      if resumed.errors.isEmpty { #expect(resumed.weightsDigest == whole.weightsDigest) }
      let evaluated = try Program.run(["evaluate", checkpoint, "--data", scratch.file("data")])
      #expect(evaluated.code == 0, "\(evaluated.errors)")
    }

    /// The files are overwritten in place and cut while two ranks train on them: the bits stay those of an untouched run.
    @Test func dataThatChangesUnderARunChangesNothing() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let arguments = [
        "train", "--data", scratch.file("data"), "--model", "mlp", "--global-batch", "32", "--microbatch", "4",
        "--epochs",
        "150", "--checkpoint-every", "20steps",
      ]
      let untouched = try Program.run(arguments + ["--run-dir", scratch.file("untouched")], ranks: 2)
      #expect(untouched.code == 0, "\(untouched.errors)")
      let job = try Program.start(arguments + ["--run-dir", scratch.file("run")], ranks: 2)
      job.waitForCheckpoint(ofStep: 20, in: scratch.file("run"))
      for name in try FileManager.default.contentsOfDirectory(atPath: scratch.file("data")) {
        let file = try #require(FileHandle(forWritingAtPath: scratch.file("data/\(name)")))
        try file.write(contentsOf: Data(repeating: 3, count: 5000))
        if name.hasPrefix("t10k") { try file.truncate(atOffset: 3) }
        try file.close()
      }
      #expect(job.process.isRunning, "the run was over before its data changed")
      let outcome = job.wait(limit: 60)
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(outcome.weightsDigest == untouched.weightsDigest)
      #expect(outcome.value(of: "Test accuracy") == untouched.value(of: "Test accuracy"))
    }
  }

  /// Sizes that no machine has, and numbers that overflow: one line before any memory is taken, or a run.
  @Suite(.serialized)
  struct SizeTests {
    private static func expectOneLine(
      _ outcome: Program.Outcome, code: Int32, mentioning words: [String],
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      #expect(outcome.code == code, "\(outcome.errors)", sourceLocation: sourceLocation)
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)", sourceLocation: sourceLocation)
      for word in words { #expect(outcome.errors.contains(word), "\(outcome.errors)", sourceLocation: sourceLocation) }
    }

    /// Runs the program with so many kilobytes of address space; one that has not ended after 30 seconds is killed: 137.
    private static func limited(_ kilobytes: Int, _ arguments: [String]) throws -> Program.Outcome {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments =
        ["-c", "ulimit -v \(kilobytes); exec timeout -s KILL 30 \"$0\" \"$@\"", Program.path] + arguments
      let (output, errors) = (Pipe(), Pipe())
      (process.standardOutput, process.standardError) = (output, errors)
      try process.run()
      let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      let code = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
      return Program.Outcome(code: code, output: "", errors: said)
    }

    /// A batch that holds all data is the batch of all data, however large it is said to be: the same bits.
    @Test func batchesBeyondAllData() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      var digests: [String?] = []
      for (number, size) in ["192", "1000000000", "\(Int.max)"].enumerated() {
        let outcome = try Program.run([
          "train", "--data", scratch.file("data"), "--epochs", "2", "--global-batch", size, "--microbatch", size,
          "--run-dir",
          scratch.file("run\(number)"),
        ])
        #expect(outcome.code == 0, "\(size): \(outcome.errors)")
        digests.append(outcome.weightsDigest)
      }
      #expect(Set(digests).count == 1)
      let tooMany = try Program.run(
        [
          "train", "--data", scratch.file("data"), "--global-batch", "\(Int.max)", "--microbatch", "\(Int.max)",
          "--run-dir",
          scratch.file("run"),
        ], ranks: 3)
      Self.expectOneLine(tooMany, code: 64, mentioning: ["3 ranks are too many"])
    }

    @Test func aNegativeSeedIsAValueThatIsWrong() throws {
      for seed in ["-1", "18446744073709551616"] {
        Self.expectOneLine(try Program.run(["train", "--seed", seed]), code: 64, mentioning: ["'\(seed)'", "--seed"])
      }
    }

    @Test func largeImagesAreRefusedBeforeMemoryIsTaken() throws {
      let scratch = try ScratchDirectory()
      try FileManager.default.createDirectory(atPath: scratch.file("data"), withIntermediateDirectories: true)
      for part in ["train", "t10k"] {
        let pixels = [UInt8](repeating: 1, count: 2 * 1500 * 1500)
        try SmallSet.file([0, 0, 8, 3], [2, 1500, 1500], pixels)
          .write(to: URL(fileURLWithPath: scratch.file("data/\(part)-images-idx3-ubyte")))
        try SmallSet.file([0, 0, 8, 1], [2], [0, 1])
          .write(to: URL(fileURLWithPath: scratch.file("data/\(part)-labels-idx1-ubyte")))
      }
      let outcome = try Self.limited(
        4_000_000, ["train", "--data", scratch.file("data"), "--run-dir", scratch.file("run")])
      Self.expectOneLine(outcome, code: 64, mentioning: ["article", "[1500, 1500, 1]", "MB of memory"])
    }

    /// A kilobyte for a megabyte: the stream holds what it promises, and there is not the memory.
    @Test func packedFilesLargerThanTheMemoryAreRefused() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let images = scratch.file("data/train-images-idx3-ubyte")
      try SmallSet.file([0, 0, 8, 3], [192, 2048, 2048], []).write(to: URL(fileURLWithPath: images))
      let file = try #require(FileHandle(forWritingAtPath: images))
      try file.truncate(atOffset: 16 + 192 << 22)
      try file.close()
      for packed in [false, true] {
        if packed {
          let gzip = try Process.run(URL(fileURLWithPath: "/usr/bin/env"), arguments: ["gzip", "-1", images])
          gzip.waitUntilExit()
        }
        let outcome = try Self.limited(
          600_000, ["train", "--data", scratch.file("data"), "--run-dir", scratch.file("run")])
        Self.expectOneLine(outcome, code: 65, mentioning: ["takes 806 MB of memory"])
      }
    }

    /// A checkpoint of kilobytes whose recipe names a network of gigabytes is refused for its shapes, before there is memory for them.
    @Test func aSmallCheckpointOfALargeNetworkIsRefused() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let path = scratch.file("forged")
      // 300 and 750 MB of weights, and one that no file names.
      for (model, kilobytes, words) in [
        ("mlp:64-1000000-10", 4_000_000, ["has shape"]), ("mlp:64-10000-10000-8000-10", 4_000_000, ["has shape"]),
        ("mlp:64-1000000-10", 600_000, ["MB of memory"]), ("mlp:64-30000-30000-10", 3_000_000, ["MB of memory"]),
      ] {
        let tensor = NamedTensor(name: "dense1.weights", shape: [1], values: Buffer([1]))
        try Checkpoint(
          tensors: [tensor], state: RunState(seed: 0), recipe: ["model": model, "task": "classify"], weightsDigest: ""
        ).write(to: path)
        let outcome = try Self.limited(kilobytes, ["evaluate", path, "--data", scratch.file("data")])
        Self.expectOneLine(outcome, code: 65, mentioning: words)
      }
    }

    /// Limits from where nothing starts to where all goes well: one line or success, never a trap.
    @Test func addressSpaceLimits() throws {
      let scratch = try ScratchDirectory()
      try SmallSet(samples: 4096).write(to: scratch.file("data"))
      var codes: [Int32: Int] = [:]
      for megabytes in stride(from: 60, through: 700, by: 40) {
        let outcome = try Self.limited(
          megabytes * 1000,
          ["train", "--data", scratch.file("data"), "--max-steps", "3", "--run-dir", scratch.file("run\(megabytes)")])
        codes[outcome.code, default: 0] += 1
        // Below what its libraries take, the loader (127) or OpenBLAS (130, by a signal to itself) ends the program.
        #expect(
          [0, 64, 65, 70, 73, 127, 130].contains(outcome.code), "\(megabytes) MB: \(outcome.code) \(outcome.errors)")
        #expect(outcome.code == 0 || !outcome.errors.contains("Fatal error"), "\(outcome.errors)")
      }
      #expect(codes[0, default: 0] > 3)
      print("address space limits: \(codes)")
    }
  }
}
