import Foundation
import Testing

extension ProgramTests {
  /// Bytes that are not UTF-8, where names of files are: one line, and never the file of another name.
  @Suite(.serialized)
  struct ArgumentTests {
    private static func expectOneLine(
      _ outcome: Program.Outcome, mentioning word: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
      #expect(outcome.code == 64, "\(outcome.errors)", sourceLocation: sourceLocation)
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)", sourceLocation: sourceLocation)
      #expect(outcome.errors.contains(word), "\(outcome.errors)", sourceLocation: sourceLocation)
      #expect(outcome.output.isEmpty, "\(outcome.output)", sourceLocation: sourceLocation)
    }

    @Test func argumentsThatAreNotUTF8AreRefused() throws {
      let scratch = try ScratchDirectory()
      // Two names, of which Swift would make one.
      let script = #"cd "$0" || exit 1; exec "$@" "$(printf 'a\377b')""#.replacing("$0", with: scratch.path)
      let commands = [
        ["train", "--run-dir"], ["train", "--data"], ["train", "--resume"], ["train", "--model"],
        ["train", "--no-such"],
        ["evaluate"], ["evaluate", "--data"], ["inspect"], ["doctor", "--data"], ["bench", "step", "--model"], [],
      ]
      for command in commands {
        Self.expectOneLine(try Program.run(command, script: script), mentioning: #"$'a\xFFb' is not UTF-8"#)
      }
      for ranks in [1, 3] {
        Self.expectOneLine(
          try Program.run(commands[0], ranks: ranks, script: script), mentioning: #"$'a\xFFb' is not UTF-8"#)
      }
      let long = #"exec "$@" "$(printf '\377\n%0100000d' 0)""#
      let outcome = try Program.run(["inspect"], script: long)
      Self.expectOneLine(outcome, mentioning: #"$'\xFF\x0A000"#)
      #expect(outcome.errors.utf8.count < 400)
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty, "another name was made")
      print("arguments that are not UTF-8: \(commands.count + 3), each refused")
    }

    @Test func variablesThatAreNotUTF8AreRefusedWhereTheyAreUsed() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      func script(_ variable: String) -> String {
        #"x=$(printf '\377'); mkdir -p "\#(scratch.path)/$x"; \#(variable)="\#(scratch.path)/$x" exec "$@""#
      }
      let run = [
        "train", "--data", scratch.file("data"), "--max-steps", "1", "--run-dir", scratch.file("run"), "--resume",
        "auto",
      ]
      for ranks in [nil, 2] {
        Self.expectOneLine(try Program.run(run, ranks: ranks, script: script("TMPDIR")), mentioning: "TMPDIR=$'")
      }
      Self.expectOneLine(
        try Program.run(run, script: script("LOCKSTEP_STOP_FILE")), mentioning: "LOCKSTEP_STOP_FILE=$'")
      for command in [["train"], ["evaluate", "x"]] {
        Self.expectOneLine(
          try Program.run(command, script: script("XDG_CACHE_HOME")), mentioning: "XDG_CACHE_HOME=$'")
        Self.expectOneLine(
          try Program.run(command, environment: ["XDG_CACHE_HOME": ""], script: script("HOME")), mentioning: "HOME=$'")
      }
      // Of no account where the data are named.
      for variable in ["XDG_CACHE_HOME", "HOME"] {
        let outcome = try Program.run(run, script: script(variable))
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(variable): \(outcome.errors)")
      }
    }

    /// The working directory has no name that the program asks for.
    @Test func aWorkingDirectoryThatIsNotUTF8Works() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let script = #"x="\#(scratch.path)/$(printf 'a\377')"; mkdir -p "$x"; cd "$x"; exec "$@""#
      let train = ["train", "--data", "../data", "--epochs", "2", "--run-dir", "run"]
      let first = try Program.run(train + ["--max-steps", "3"], script: script)
      #expect(first.code == 0 && first.errors.isEmpty, "\(first.errors)")
      let second = try Program.run(train, ranks: 2, script: script)
      #expect(second.code == 0 && second.output.contains("resumed after step 3"), "\(second.errors)")
      let evaluated = try Program.run(["evaluate", "run", "--data", "../data"], ranks: 2, script: script)
      #expect(evaluated.code == 0, "\(evaluated.errors)")
      #expect(evaluated.value(of: "Test accuracy") == second.value(of: "Test accuracy"))
    }
  }
}
