import Anonymisation
import Foundation
import PeerPython
import Testing

/// The tables of the papers that define the measures, and another program's measures.
@Suite struct AnonymityTests {
  /// Columns of a table that is written with blanks between its fields.
  private static func columns(_ rows: String) -> [[String]] {
    let rows = rows.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    return rows[0].indices.map { column in rows.map { $0[column] } }
  }

  private static func measure(_ rows: String, quasiIdentifiers: Range<Int>, sensitive: Int) -> Anonymity {
    let columns = columns(rows)
    return Anonymity(
      quasiIdentifiers: Array(columns[quasiIdentifiers]), sensitive: [("s", columns[sensitive])], rows: columns[0].count
    )
  }

  /// Sweeney 2002, "k-Anonymity: a model for protecting privacy", figure 2: k = 2.
  @Test func sweeney() {
    let found = Self.measure(
      """
      Black 1965 m 0214* short_breath
      Black 1965 m 0214* chest_pain
      Black 1965 f 0213* hypertension
      Black 1965 f 0213* hypertension
      Black 1964 f 0213* obesity
      Black 1964 f 0213* chest_pain
      White 1964 m 0213* chest_pain
      White 1964 m 0213* obesity
      White 1964 m 0213* short_breath
      White 1967 m 0213* chest_pain
      White 1967 m 0213* chest_pain
      """, quasiIdentifiers: 0..<4, sensitive: 4)
    #expect(found.k == 2 && found.classes == 5 && found.largestClass == 3 && found.rows == 11)
    #expect(found.sensitive[0].distinctL == 1 && found.sensitive[0].entropyL == 1)
    #expect(found.discernibility == 4 * 4 + 9 && found.meanRisk == 5.0 / 11)
  }

  /// Machanavajjhala et al. 2007, "l-Diversity: privacy beyond k-anonymity", figures 2 and 3: 4-anonymous both, and the second 3-diverse.
  @Test func machanavajjhala() {
    let anonymous = Self.measure(
      """
      130** <30 Heart
      130** <30 Heart
      130** <30 Viral
      130** <30 Viral
      1485* >=40 Cancer
      1485* >=40 Heart
      1485* >=40 Viral
      1485* >=40 Viral
      130** 3* Cancer
      130** 3* Cancer
      130** 3* Cancer
      130** 3* Cancer
      """, quasiIdentifiers: 0..<2, sensitive: 2)
    #expect(anonymous.k == 4 && anonymous.sensitive[0].distinctL == 1 && anonymous.sensitive[0].entropyL == 1)
    let diverse = Self.measure(
      """
      1305* <=40 Heart
      1305* <=40 Viral
      1305* <=40 Cancer
      1305* <=40 Cancer
      1485* >40 Cancer
      1485* >40 Heart
      1485* >40 Viral
      1485* >40 Viral
      1306* <=40 Heart
      1306* <=40 Viral
      1306* <=40 Cancer
      1306* <=40 Cancer
      """, quasiIdentifiers: 0..<2, sensitive: 2)
    #expect(diverse.k == 4 && diverse.sensitive[0].distinctL == 3)
    // Entropy ½ log 2 + 2 · ¼ log 4 = 3⁄2 log 2.
    #expect(abs(diverse.sensitive[0].entropyL - 2.8284271247461903) < 1e-12)
  }

  /// Li et al. 2007, "t-Closeness: privacy beyond k-anonymity and l-diversity", §5: the salaries of table 4's classes lie 0.375 and 0.167
  /// from all, and table 5 has 0.167-closeness.
  @Test func li() throws {
    let fourth = Self.measure(
      """
      476** 2* 3000
      476** 2* 4000
      476** 2* 5000
      4790* >=40 6000
      4790* >=40 11000
      4790* >=40 8000
      476** 3* 7000
      476** 3* 9000
      476** 3* 10000
      """, quasiIdentifiers: 0..<2, sensitive: 2)
    #expect(fourth.k == 3 && fourth.sensitive[0].distinctL == 3 && fourth.sensitive[0].distance == .ordered)
    #expect(abs(fourth.sensitive[0].t - 0.375) < 1e-12)
    let fifth = Self.measure(
      """
      4767* <=40 3e3
      4767* <=40 5000.0
      4767* <=40 9000
      4790* >=40 6000
      4790* >=40 11000
      4790* >=40 8000
      4760* <=40 4000
      4760* <=40 7000
      4760* <=40 10000
      """, quasiIdentifiers: 0..<2, sensitive: 2)
    #expect(abs(fifth.sensitive[0].t - 1.0 / 6) < 1e-12, "\(fifth)")
    // The diseases of table 4, all equally far: a class has a third of each of three kinds, which are 5/9 of all rows.
    let diseases = Self.measure(
      "a ulcer\na gastritis\na cancer\nb gastritis\nb flu\nb bronchitis\nc bronchitis\nc pneumonia\nc cancer",
      quasiIdentifiers: 0..<1, sensitive: 1)
    #expect(diseases.sensitive[0].distance == .equal && abs(diseases.sensitive[0].t - 4.0 / 9) < 1e-12, "\(diseases)")
  }

  @Test func whatThereIsNothingOf() {
    let none = Anonymity(quasiIdentifiers: [[]], sensitive: [("s", [])], rows: 0)
    #expect(none.k == 0 && none.sensitive[0].distinctL == 0 && none.sensitive[0].t == 0)
    let one = Anonymity(quasiIdentifiers: [["a", "a"]], sensitive: [("s", ["x", "x"])], rows: 2)
    #expect(one.k == 2 && one.sensitive[0].t == 0 && one.sensitive[0].entropyL == 1)
    // Two texts that look alike are two.
    let alike = Anonymity(quasiIdentifiers: [["\u{E9}", "e\u{301}"]], sensitive: [], rows: 2)
    #expect(alike.k == 1)
  }

  /// pycanon, of the Spanish National Research Council, on tables of random sizes.
  @Test func pycanonAgrees() throws {
    guard let python = try PeerPython("pycanon", packages: ["pycanon"], modules: ["pycanon.anonymity"]) else { return }
    var state: UInt64 = 11
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var lines: [String] = []
    for trial in 0..<25 {
      let rows = 20 + next(200)
      let (one, two) = ((0..<rows).map { _ in "q\(next(2 + trial % 4))" }, (0..<rows).map { _ in "\(next(3))" })
      let (text, number) = ((0..<rows).map { _ in "s\(next(4))" }, (0..<rows).map { _ in "\(next(9) * 7 - 20)" })
      let found = Anonymity(
        quasiIdentifiers: [one, two], sensitive: [("text", text), ("number", number)], rows: rows)
      func list(_ values: [String]) -> String { "[\(values.map { "\"\($0)\"" }.joined(separator: ", "))]" }
      let (first, second) = (found.sensitive[0], found.sensitive[1])
      lines.append(
        """
        {"one": \(list(one)), "two": \(list(two)), "text": \(list(text)), "number": [\(number.joined(separator: ", "))], "k": \(found.k), \
        "l": [\(first.distinctL), \(second.distinctL)], "e": [\(first.entropyL), \(second.entropyL)], "t": [\(first.t), \(second.t)]}
        """)
    }
    let scratch = try Scratch()
    let path = try scratch.write(lines.joined(separator: "\n"), to: "tables.jsonl")
    let script = """
      import json, sys, math, pandas
      from pycanon import anonymity
      for line in open(sys.argv[1]):
          case = json.loads(line)
          frame = pandas.DataFrame({name: case[name] for name in ("one", "two", "text", "number")})
          qi = ["one", "two"]
          assert anonymity.k_anonymity(frame, qi) == case["k"], case
          for index, name in enumerate(("text", "number")):
              assert anonymity.l_diversity(frame, qi, [name]) == case["l"][index], case
              # It rounds down, and e to the log of 2 is a little less than 2.
              theirs = anonymity.entropy_l_diversity(frame, qi, [name])
              assert theirs in (math.floor(case["e"][index] - 1e-9), math.floor(case["e"][index] + 1e-9)), (theirs, case["e"])
              assert abs(anonymity.t_closeness(frame, qi, [name]) - case["t"][index]) < 1e-12, case
      """
    let result = try python.run(["-c", script, path])
    #expect(result.status == 0, "\(result.output)")
  }
}
