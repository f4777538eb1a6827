import Foundation
import Testing

extension ProgramTests {
  /// The page of a run, and the one that compares several.
  @Suite(.serialized)
  struct ReportTests {
    private static func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    /// A short run of real digits. Returns what it said.
    private static func train(_ run: String, ranks: Int, _ more: [String] = []) throws -> Program.Outcome {
      let outcome = try Program.run(
        ["train", "--data", "mnist", "--subset", "2000", "--epochs", "2", "--run-dir", run] + more, ranks: ranks)
      #expect(outcome.code == 0 && outcome.errorLines.isEmpty, "\(outcome.errors)")
      return outcome
    }

    @Test func aRunHasAPageAndTheReportMakesItAgain() throws {
      let scratch = try ScratchDirectory()
      let (one, three) = (scratch.file("one"), scratch.file("three"))
      let outcome = try Self.train(one, ranks: 1)
      _ = try Self.train(three, ranks: 3)
      #expect(outcome.output.hasSuffix("\nReport: \(one)/report.html\n"), "a newcomer learns where it is")
      let page = try Self.text("\(one)/report.html")
      let accuracy = try #require(outcome.value(of: "Test accuracy").flatMap { Double($0) })
      #expect(page.contains("article: \(String(format: "%.2f", accuracy * 100)) % test accuracy"))
      #expect(page.contains(try #require(outcome.weightsDigest)))
      #expect(
        page.contains("lockstep train --data mnist --subset 2000 --epochs 2</code>"), "a place is no part of a recipe")
      #expect(page.components(separatedBy: "<img ").count - 1 == 25, "24 mistakes and the filters")
      #expect(!page.contains("http"), "a page asks for nothing")
      // Pictures and intervals follow from the weights and the data.
      func pictures(_ page: String) -> [Substring] { page.matches(of: /<img [^>]+>/).map(\.output) }
      #expect(pictures(try Self.text("\(three)/report.html")) == pictures(page))

      let again = try Program.run(["report", one, "--output", scratch.file("again.html")])
      #expect(again.code == 0 && again.errorLines.isEmpty, "\(again.errors)")
      #expect(try Self.text(scratch.file("again.html")) == page)

      let compared = try Program.run(["report", one, three, "--output", scratch.file("both.html")])
      #expect(compared.code == 0 && compared.output == "\(scratch.file("both.html"))\n", "\(compared.errors)")
      let both = try Self.text(scratch.file("both.html"))
      #expect(both.contains("<title>2 runs</title>"))
      #expect(both.contains("<tr class=\"differs\"><th scope=\"row\">ranks</th><td>1</td><td>3</td>"))
      #expect(both.contains("<tr><th scope=\"row\">seed</th><td>0</td><td>0</td>"))
    }

    @Test func whatCannotBeShownIsOneLine() throws {
      let scratch = try ScratchDirectory()
      let run = scratch.file("run")
      try SmallSet().write(to: scratch.file("data"))
      let trained = try Program.run(
        ["train", "--model", "mlp", "--epochs", "2", "--data", scratch.file("data"), "--run-dir", run])
      #expect(trained.code == 0, "\(trained.errors)")
      for (arguments, code, words) in [
        ([scratch.file("none")], 66, "config.json"), ([], 64, "directories"),
        (Array(repeating: run, count: 7), 64, "too many"), ([run, run, "--data", "mnist"], 64, "--data"),
        ([run, "--output", scratch.file("no/page.html")], 73, "no/page.html"),
      ] as [([String], Int32, String)] {
        let outcome = try Program.run(["report"] + arguments)
        #expect(
          outcome.code == code && outcome.errorLines.count == 1, "\(arguments): \(outcome.code) \(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
      }
      // Data that are gone cost the pictures alone.
      try FileManager.default.moveItem(atPath: scratch.file("data"), toPath: scratch.file("moved"))
      let without = try Program.run(["report", run])
      #expect(without.code == 0 && without.errorLines.count == 1 && without.errors.contains("warning: no pictures"))

      let data = ["--data", scratch.file("moved")]
      try WriteFaults(scratch).sweep("page.html") { ["report", run, "--output", $0] + data }

      // Files of the run that are cut at any place, or whose texts are not what they were.
      for name in ["config.json", "metrics.jsonl", "summary.json"] {
        let whole = try Data(contentsOf: URL(fileURLWithPath: "\(run)/\(name)"))
        for length in stride(from: 0, to: whole.count - 2, by: max(1, whole.count / 12)) {
          try whole.prefix(length).write(to: URL(fileURLWithPath: "\(run)/\(name)"))
          let outcome = try Program.run(["report", run, "--data", scratch.file("moved")])
          // A line of metrics without an end is still being written.
          let isRefused = outcome.code == 65 && outcome.errorLines.count == 1 && outcome.errors.contains(name)
          #expect(
            name == "metrics.jsonl" ? outcome.code == 0 : isRefused, "\(name) cut at \(length): \(outcome.errors)")
        }
        try whole.write(to: URL(fileURLWithPath: "\(run)/\(name)"))
      }
      let config = try Self.text("\(run)/config.json")
      try config.replacingOccurrences(of: "\"mlp\"", with: "\"<script>alert(1)</script>\"").write(
        toFile: "\(run)/config.json", atomically: true, encoding: .utf8)
      #expect(try Program.run(["report", run, "--data", scratch.file("moved")]).code == 0)
      #expect(try !Self.text("\(run)/report.html").contains("<script"))
    }
  }
}
