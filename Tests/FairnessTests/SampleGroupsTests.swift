import Foundation
import Lockstep
import PeerPython
import Testing

/// Columns as groups of samples.
@Suite struct SampleGroupsTests {
  @Test func textsAndNumbers() throws {
    let texts = try SampleGroups(CSVColumn(name: "sex", values: [2, 0, .nan, 2], texts: ["f", "none has it", "m"]))
    #expect(texts.names == ["f", "m", "(missing)"] && texts.indices == [1, 0, 2, 1])
    let numbers = try SampleGroups(CSVColumn(name: "rooms", values: [3, 1, 3, 2.5]))
    #expect(numbers.names == ["1", "2.5", "3"] && numbers.indices == [2, 0, 2, 1])
    let cut = try SampleGroups(CSVColumn(name: "age", values: (0...24).map(Double.init) + [.nan]))
    #expect(cut.names == ["[0, 6]", "(6, 12]", "(12, 18]", "(18, 24]", "(missing)"])
    #expect(cut.indices[6] == 0 && cut.indices[7] == 1 && cut.indices[24] == 3 && cut.indices[25] == 4)
    #expect(try SampleGroups(CSVColumn(name: "none", values: [.nan, .nan])).names == ["(missing)"])
    #expect(try SampleGroups(CSVColumn(name: "one", values: [5, 5]), bins: 3).names == ["[5, 5]"])
  }

  @Test func crossed() throws {
    let sex = try SampleGroups(CSVColumn(name: "sex", values: [0, 1, 0], texts: ["f", "m"]))
    let age = try SampleGroups(CSVColumn(name: "age", values: [30, 40, 40]))
    let both = try sex.crossed(with: age)
    #expect(both.name == "sex + age" && both.names == ["f + 30", "f + 40", "m + 40"] && both.indices == [0, 2, 1])
    let again = try sex.crossed(with: age)
    #expect(both.digest != sex.digest && both.digest == again.digest)
  }

  @Test func tooMany() {
    let column = CSVColumn(name: "id", values: (0..<101).map(Double.init), texts: (0..<101).map { "\($0)" })
    #expect(
      throws: TrainingError(
        .usage, "\"id\" has 101 groups, and at most 100 are told apart; give a column with fewer values")
    ) { try SampleGroups(column) }
  }

  /// pandas' `qcut` puts every number of these into the same bin.
  @Test func quantilesArePandas() throws {
    guard let python = try PeerPython("fairlearn", packages: ["fairlearn"], modules: ["fairlearn.metrics", "pandas"])
    else { return }
    var state: UInt64 = 5
    func next() -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 40)
    }
    var lines: [String] = []
    for trial in 0..<40 {
      let count = 3 + trial % 9
      let values = (0..<(5 + trial * 3)).map { _ in
        trial % 3 == 0 ? Double(next() % 20) : Double(next() % 100_000) / 1000 - 40
      }
      let groups = try SampleGroups(CSVColumn(name: "x", values: values), bins: count).indices
      lines.append(
        "{\"bins\": \(count), \"values\": \(values), \"groups\": [\(groups.map { "\($0)" }.joined(separator: ", "))]}")
    }
    let scratch = try Scratch()
    try lines.joined(separator: "\n").write(toFile: "\(scratch.path)/cut.jsonl", atomically: true, encoding: .utf8)
    let script = """
      import json, sys, pandas
      for line in open(sys.argv[1]):
          case = json.loads(line)
          theirs = pandas.qcut(pandas.Series(case["values"]), case["bins"], labels=False, duplicates="drop")
          assert list(theirs) == case["groups"], (case, list(theirs))
      """
    let result = try python.run(["-c", script, "\(scratch.path)/cut.jsonl"])
    #expect(result.status == 0, "\(result.output)")
  }

  /// A file is what was written, or is refused with one line, wherever it is cut.
  @Test func filesOfGroups() throws {
    let scratch = try Scratch()
    let path = "\(scratch.path)/groups.json"
    let loss = SigmoidCrossEntropy(positive: 1)
    let groups = try SampleGroups(CSVColumn(name: "a\u{202E}", values: [0, 1, 1], texts: ["x", "\"y\""]))
    let figures = GroupFigures(groups, of: loss, replicates: 10)
    var counters = MetricCounters([figures])
    counters.count(
      Predictions(
        outputs: Buffer([-1, 1, -1]), examples: Examples(inputs: Buffer(count: 3), labels: Buffer([0, 1, 1])),
        loss: loss))
    let file = GroupsFile(step: 3, groups: [figures.report(counters.counters[0])])
    try file.write(to: path)
    #expect(try GroupsFile(readingFrom: path) == file)
    let bytes = try Data(contentsOf: URL(filePath: path))
    #expect(!String(decoding: bytes, as: UTF8.self).contains("\u{202E}"))
    for length in 0..<(bytes.count - 2) {
      try bytes.prefix(length).write(to: URL(filePath: path))
      do {
        _ = try GroupsFile(readingFrom: path)
        Issue.record("read from \(length) bytes")
      } catch {
        #expect(error.code == .badData && !error.description.contains("\n"))
      }
    }
    #expect(throws: TrainingError.self) { try GroupsFile(readingFrom: "\(scratch.path)/none") }
  }
}
