import Foundation
import Lockstep
import Testing

extension ProgramTests {
  /// `lockstep anonymise`.
  @Suite struct AnonymiseTests {
    private static let table = """
      name,zip,age,illness
      Ann,13053,28,heart
      Bob,13068,29,heart
      Cem,13068,21,flu
      Dan,13053,23,flu
      "Eve, the first",14853,50,cancer
      Flo,14853,55,heart
      Gil,14850,47,flu
      Han,14850,49,flu

      """

    private static func written(_ scratch: ScratchDirectory) throws -> String {
      try Data(table.utf8).write(to: URL(filePath: scratch.file("people.csv")))
      return scratch.file("people.csv")
    }

    /// It trains, too: the outcome is a table like any other.
    @Test func theOutcomeIsATable() throws {
      let scratch = try ScratchDirectory()
      let people = try Self.written(scratch)
      try Data((0..<32).map { UInt8($0) }).write(to: URL(filePath: scratch.file("key")))
      let flags = [
        "anonymise", people, "--out", scratch.file("public.csv"), "--hash", "name", "--hash-key", scratch.file("key"),
        "--generalise", "age:20", "--generalise", "zip:prefix=3", "--quasi-identifiers", "age,zip", "--sensitive",
        "illness",
        "--k", "4", "--l", "2", "--t", "0.4", "--report", scratch.file("report.json"),
      ]
      let outcome = try Program.run(flags)
      #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
      #expect(outcome.value(of: "k-anonymity")?.hasPrefix("4 (2 classes") == true, "\(outcome.output)")
      let table = try String(contentsOfFile: scratch.file("public.csv"), encoding: .utf8)
      let lines = table.split(separator: "\n").map { $0.split(separator: ",", maxSplits: 1).map(String.init) }
      #expect(
        lines.map { $0[1] }.prefix(3) == ["zip,age,illness", "130**,\"[20, 40)\",heart", "130**,\"[20, 40)\",heart"])
      // OpenSSL's: printf 'Eve, the first' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f
      let digests = lines.dropFirst().map { $0[0] }
      #expect(digests[4] == "822e74ff41b776937c1676b16a82935a1f19cfe8d14c4d695e92232196ea2107")
      let report = try #require(
        try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: scratch.file("report.json"))))
          as? [String: Any])
      let found = try #require(report["found"] as? [String: Any])
      #expect(
        found["k"] as? Int == 4 && report["key"] as? String == "file"
          && (report["shortfalls"] as? [Any])?.isEmpty == true)
      // The same again gives the same file; a fresh key gives another.
      #expect(try Program.run(flags).code == 0)
      #expect(try String(contentsOfFile: scratch.file("public.csv"), encoding: .utf8) == table)
      let trained = try Program.run([
        "train", "--data", scratch.file("public.csv"), "--ignore", "name", "--epochs", "1", "--run-dir",
        scratch.file("run"),
      ])
      #expect(trained.code == 0, "\(trained.errors)")
    }

    /// What is not reached is not written, and a file that was there before stays.
    @Test func whatIsNotReachedIsNotWritten() throws {
      let scratch = try ScratchDirectory()
      let people = try Self.written(scratch)
      try Data("old".utf8).write(to: URL(filePath: scratch.file("public.csv")))
      let flags = [
        "anonymise", people, "--out", scratch.file("public.csv"), "--drop", "name", "--quasi-identifiers", "age,zip",
        "--k", "4",
        "--report", scratch.file("report.json"),
      ]
      let outcome = try Program.run(flags)
      #expect(outcome.code == 65 && outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(
        outcome.errors.contains("k-anonymity is 1, and 4 is asked for") && outcome.errors.contains("is not written"))
      #expect(try String(contentsOfFile: scratch.file("public.csv"), encoding: .utf8) == "old")
      #expect(try String(contentsOfFile: scratch.file("report.json"), encoding: .utf8).contains("4 is asked for"))
      #expect(
        try Program.run(flags + ["--generalise", "age:5", "--generalise", "zip:prefix=4", "--achieve"]).code == 0)
      #expect(try String(contentsOfFile: scratch.file("public.csv"), encoding: .utf8).hasPrefix("zip,age,illness\n"))
    }

    @Test func whatIsWrongIsOneLine() throws {
      let scratch = try ScratchDirectory()
      let people = try Self.written(scratch)
      try Data([1, 2, 3]).write(to: URL(filePath: scratch.file("short")))
      try Data("a,b\n1\n".utf8).write(to: URL(filePath: scratch.file("uneven.csv")))
      for (flags, code, part) in [
        ([people, "--drop", "nam"], 64, "has no column \"nam\""),
        ([people, "--generalise", "age=3"], 64, "none of NAME:WIDTH"),
        ([people, "--generalise", "age:0"], 64, "none of NAME:WIDTH"),
        ([people, "--generalise", "name:3"], 65, "row 1: \"Ann\" in column \"name\" is not a number"),
        ([people, "--generalise", "age:hierarchy=\(scratch.file("none"))"], 66, "no such file"),
        ([people, "--generalise", "age:hierarchy=7,\(people)"], 64, "has 3 levels"),
        ([people, "--hash-key", scratch.file("short")], 64, "--hash-key needs --hash"),
        ([people, "--hash", "name", "--hash-key", scratch.file("short")], 64, "has 3 bytes"),
        ([people, "--hash", "name", "--hash-key", scratch.file("none")], 66, "none"),
        ([people, "--quasi-identifiers", "age,,zip"], 64, "has an empty name"),
        ([people, "--k", "2"], 64, "--k needs --quasi-identifiers"),
        ([people, "--k", "-2", "--quasi-identifiers", "age"], 64, "--k -2 is less than 1"),
        ([people, "--suppression-limit", "5%"], 64, "--suppression-limit needs --suppress"),
        ([people, "--out", people], 64, "is the file that is read"),
        ([people, "--out", scratch.file("none/x.csv")], 73, "cannot write"),
        ([scratch.file("none.csv")], 66, "no such file"),
        ([scratch.file("uneven.csv")], 65, "uneven.csv:2: 1 field, where the first row has 2"),
        ([scratch.path], 66, "it is a directory"),
      ] as [([String], Int32, String)] {
        let outcome = try Program.run(["anonymise"] + flags)
        #expect(outcome.code == code, "\(flags): \(outcome.code) \(outcome.errors)")
        #expect(outcome.errorLines.count == 1 && outcome.errors.contains(part), "\(flags): \(outcome.errors)")
      }
    }
  }
}
