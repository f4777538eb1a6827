import Foundation
import Lockstep
import Synchronization
import Testing

extension ProgramTests {
  /// Texts that others chose, wherever the program shows them: each on its line, with nothing in it that a terminal would obey or that
  /// a reader would not see, and no line without end.
  @Suite(.serialized)
  struct UntrustedTests {
    /// What they are, and the texts. FORGED must never begin a line.
    private static let texts = [
      ("escape sequences", "x\u{1B}[2K\u{1B}[1;31mFORGED\u{7}\u{8}"), ("a line's end", "x\nFORGED"),
      ("a return", "x\rFORGED"), ("both", "x\r\nFORGED"),
      ("a control character of one byte", "x\u{9B}2KFORGED\u{85}FORGED"),
      ("direction", "x\u{202E}DEGROF\u{2066}\u{200F}\u{61C}"), ("separators", "x\u{2028}FORGED\u{2029}FORGED"),
      ("what is not seen", "x\u{200B}\u{FEFF}\u{AD}\u{3164}\u{E0041}\u{7F}"),
      ("quotes and escapes", "\"; \\u{1B} \\n '"),
      ("accents without end", "e" + String(repeating: "\u{301}", count: 2_500_000)),
    ]

    /// The longest text that the system takes as an argument.
    private static let longestArgument = 120_000

    private static let counter = Atomic<Int>(0)
    private static var cases: Int { counter.load(ordering: .relaxed) }

    /// Fails where `outcome` shows anything that must not be seen; `code` is what the program must end with.
    private static func check(
      _ outcome: Program.Outcome, code: Int32, _ what: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
      counter.add(1, ordering: .relaxed)
      let said = String(outcome.errors.prefix(1000))
      #expect(outcome.code == code, "\(what): \(said)", sourceLocation: sourceLocation)
      #expect(
        outcome.errorLines.count { !$0.utf8.starts(with: "lockstep: warning: ".utf8) } == (code == 0 ? 0 : 1),
        "\(what): \(said)",
        sourceLocation: sourceLocation)
      checkText(outcome.output + outcome.errors, what, sourceLocation: sourceLocation)
    }

    private static func checkText(
      _ text: String, _ what: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
      for line in text.unicodeScalars.split(separator: "\n") {
        let bad = line.first {
          switch $0.properties.generalCategory {
          case .control, .format, .lineSeparator, .paragraphSeparator: true
          default: $0.properties.isDefaultIgnorableCodePoint
          }
        }
        #expect(bad == nil, "\(what): U+\(String(bad?.value ?? 0, radix: 16)) is shown", sourceLocation: sourceLocation)
        #expect(
          line.prefix(9).elementsEqual("FORGED".unicodeScalars) == false, "\(what)", sourceLocation: sourceLocation)
        let count = String(line).utf8.count
        #expect(count < 10_000, "\(what): a line of \(count) bytes", sourceLocation: sourceLocation)
      }
    }

    private static func json(_ text: String) throws -> String {
      String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
    }

    @Test(arguments: texts)
    func inspectedFiles(_ what: String, _ text: String) throws {
      let scratch = try ScratchDirectory()
      let file = scratch.file("foreign")
      let name = try Self.json(text)
      let entry = #"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#
      for (place, header, code) in [
        ("name", "{\(name):\(entry)}", 0), ("metadata", "{\"__metadata__\":{\(name):\"a\"},\"a\":\(entry)}", 0),
        ("value", "{\"__metadata__\":{\"a\":\(name)},\"a\":\(entry)}", 0),
        ("type", "{\"a\":{\"dtype\":\(name),\"shape\":[1],\"data_offsets\":[0,4]}}", 65),
        ("two names", "{\(name):\(entry),\(name):\(entry)}", 65), ("member", "{\"a\":{\(name):1}}", 65),
        ("cut", "{\(name):{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 65),
        ("checksum", "{\"__metadata__\":{\"sha256\":\"\(String(repeating: "0", count: 64))\"},\(name):\(entry)}", 65),
      ] as [(String, String, Int32)] {
        let count = header.utf8.count
        var bytes = Data((0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) })
        bytes += Data(header.utf8) + Data(count: 4)
        try bytes.write(to: URL(fileURLWithPath: file))
        Self.check(try Program.run(["inspect", file]), code: code, "\(what), \(place)")
      }
      print("hostile texts: \(Self.cases) cases")
    }

    /// A checkpoint whose checksums are right, with a text in each line of its recipe.
    @Test(arguments: texts)
    func checkpoints(_ what: String, _ text: String) throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let train = ["train", "--data", scratch.file("data"), "--max-steps", "1", "--model", "mlp:64-8-10"]
      #expect(try Program.run(train + ["--run-dir", scratch.file("run")]).code == 0)
      let file = try CheckpointFile(CheckpointStore(directory: scratch.file("run/checkpoints")).path(step: 1))
      let tensors = file.file.header.tensors.map {
        NamedTensor(name: $0.name, shape: $0.shape, values: Buffer(count: $0.shape.count))
      }
      try file.read(into: tensors)
      let path = scratch.file("forged")
      // A recipe that differs is refused, but for the kernels and the program.
      for (key, trained, evaluated) in [
        ("model", 65, 65), ("task", 65, 65), ("kernels", 0, 0), ("seed", 65, 0), (text, 65, 0), ("classes", 65, 65),
      ] as [(String, Int32, Int32)] {
        var recipe = file.recipe
        recipe[key] = text
        try Checkpoint(tensors: tensors, state: file.state, recipe: recipe, weightsDigest: text).write(to: path)
        let place = "\(what), \(key.utf8.count < 20 ? key : "a key")"
        Self.check(
          try Program.run(train + ["--resume", path, "--run-dir", scratch.file("run-\(Self.cases)")]), code: trained,
          "\(place), resumed")
        Self.check(
          try Program.run(["evaluate", path, "--data", scratch.file("data")]), code: evaluated, "\(place), evaluated")
      }
      try Checkpoint(
        tensors: tensors + [NamedTensor(name: text, shape: [1], values: Buffer([0]))], state: file.state,
        recipe: file.recipe, weightsDigest: ""
      ).write(to: path)
      Self.check(
        try Program.run(["evaluate", path, "--data", scratch.file("data")]), code: 65, "\(what), a tensor too many")
      print("hostile texts: \(Self.cases) cases")
    }

    @Test(arguments: texts)
    func arguments(_ what: String, _ text: String) throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let text = String(decoding: text.utf8.prefix(Self.longestArgument + 1), as: UTF8.self)
      let train = ["train", "--data", scratch.file("data"), "--max-steps", "1", "--run-dir", scratch.file("run")]
      for (flag, code) in [
        ("--model", 64), ("--task", 64), ("--data", 66), ("--resume", 66), ("--epochs", 64), ("--checkpoint-every", 64),
        ("--recipe", 64), ("--\(text)", 64),
      ] as [(String, Int32)] {
        let outcome = try Program.run(train + (flag.utf8.count < 20 ? [flag, text] : ["--\(text)"]))
        Self.check(outcome, code: code, "\(what), \(flag.prefix(20))")
      }
      Self.check(
        try Program.run(["train", "--model", "mlp:64-\(text)-10"] + train.dropFirst()), code: 64, "\(what), mlp")
      Self.check(try Program.run(["evaluate", text, "--data", scratch.file("data")]), code: 66, "\(what), evaluate")
      Self.check(try Program.run(["inspect", text]), code: 66, "\(what), inspect")
      Self.check(try Program.run([text]), code: 64, "\(what), command")
      Self.check(try Program.run(["doctor", "--data", text]), code: 0, "\(what), doctor")
      Self.check(
        try Program.run(
          ["train"] + train.dropFirst(3) + ["--data", "mnist"], environment: ["XDG_CACHE_HOME": "/\(text)"]),
        code: 66, "\(what), XDG_CACHE_HOME")
      print("hostile texts: \(Self.cases) cases")
    }

    /// Directories that have such names: the run's, and the data's.
    @Test(arguments: texts.dropLast())
    func directories(_ what: String, _ text: String) throws {
      let scratch = try ScratchDirectory()
      let data = scratch.file("data \(text)")
      let run = scratch.file("run \(text)")
      try SmallSet().write(to: data)
      let train = ["train", "--data", data, "--run-dir", run]
      Self.check(try Program.run(train + ["--max-steps", "1"]), code: 0, "\(what), a run")
      Self.check(try Program.run(train + ["--max-steps", "1", "--resume", "never"]), code: 73, "\(what), never")
      Self.check(try Program.run(["evaluate", run, "--data", data]), code: 0, "\(what), evaluate")
      for name in ["config.json", "metrics.jsonl", "summary.json", "report.html"] {
        Self.checkText(try String(contentsOfFile: "\(run)/\(name)", encoding: .utf8), "\(what), \(name)")
      }
      // Held by this process, with a text of somebody else's in the lock.
      let directory = try RunDirectory(run)
      let lock = try #require(FileHandle(forWritingAtPath: directory.file("lock")))
      try lock.truncate(atOffset: 0)
      try lock.write(contentsOf: Data(text.utf8))
      Self.check(try Program.run(train), code: 73, "\(what), held")
      let damaged = "\(run)/checkpoints/step-00000001.safetensors"
      try Data("none".utf8).write(to: URL(fileURLWithPath: damaged))
      Self.check(try Program.run(["evaluate", run, "--data", data]), code: 65, "\(what), damaged")
      print("hostile texts: \(Self.cases) cases")
    }

    @Test func anEndlessLock() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let directory = try RunDirectory(scratch.file("run"))
      let lock = try #require(FileHandle(forWritingAtPath: directory.file("lock")))
      try lock.write(contentsOf: Data(repeating: UInt8(ascii: "a"), count: 5_000_000))
      Self.check(
        try Program.run(["train", "--data", scratch.file("data"), "--run-dir", directory.path]), code: 73, "a long lock"
      )
    }
  }
}
