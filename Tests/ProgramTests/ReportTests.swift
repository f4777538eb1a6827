import Foundation
import Testing

extension ProgramTests {
  /// The reports of a run for other programs: `--metrics csv`.
  @Suite(.serialized)
  struct ReportTests {
    private static func recipe(_ scratch: ScratchDirectory) throws -> [String] {
      try SmallSet().write(to: scratch.file("data"))
      return ["train", "--data", scratch.file("data"), "--model", "mlp:64-8-10", "--run-dir", scratch.file("run")]
    }

    private static func objects(_ lines: some StringProtocol) throws -> [[String: Any]] {
      try lines.split(separator: "\n").map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
      }
    }

    private static func metrics(_ scratch: ScratchDirectory) throws -> [[String: Any]] {
      try objects(String(contentsOfFile: scratch.file("run/metrics.jsonl"), encoding: .utf8))
    }

    /// The rows are the lines, also where the table is asked for late, and where the run is stopped within an epoch.
    @Test func aTableOfTheMetrics() throws {
      let scratch = try ScratchDirectory()
      let train = try Self.recipe(scratch)
      let table = ["--metrics", "csv"]
      for arguments in [
        ["--epochs", "2"], ["--epochs", "4", "--max-steps", "20"] + table, ["--epochs", "5"] + table,
      ] {
        #expect(try Program.run(train + arguments, ranks: 2).code == 0)
        let lines = try Self.metrics(scratch)
        guard arguments.contains("csv") else { continue }
        let text = try String(contentsOfFile: scratch.file("run/metrics.csv"), encoding: .utf8)
        let rows = text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        #expect(text.hasSuffix("\n") && rows.count == lines.count + 1 && rows.allSatisfy { $0.count == rows[0].count })
        for (row, line) in zip(rows.dropFirst(), lines) {
          #expect(Set(line.keys).isSubset(of: rows[0].map(String.init)), "\(line)")
          for (name, cell) in zip(rows[0], row) { #expect(Double(cell) == line[String(name)] as? Double, "\(name)") }
        }
      }
      #expect(try Self.metrics(scratch).compactMap { $0["epoch"] as? Int } == [1, 2, 3, 4, 5])
    }
  }
}
