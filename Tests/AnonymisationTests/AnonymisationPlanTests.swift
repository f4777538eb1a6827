import Anonymisation
import Datasets
import Digests
import Testing

/// Plans, carried out on tables.
@Suite struct AnonymisationPlanTests {
  /// Machanavajjhala et al. 2007, figure 1: inpatients.
  private static let inpatients = CSVText(
    names: ["zip", "age", "nationality", "condition"],
    columns: [
      "13053 13068 13068 13053 14853 14853 14850 14850 13053 13053 13068 13068",
      "28 29 21 23 50 55 47 49 31 37 36 35",
      "Russian American Japanese American Indian Russian American American American Indian Japanese American",
      "Heart Heart Viral Viral Cancer Heart Viral Viral Cancer Cancer Cancer Cancer",
    ].map { $0.split(separator: " ").map(String.init) })

  private static func plan(_ configure: (inout AnonymisationPlan) -> Void) -> AnonymisationPlan {
    var plan = AnonymisationPlan()
    configure(&plan)
    return plan
  }

  private func error(_ table: CSVText = inpatients, _ configure: (inout AnonymisationPlan) -> Void) -> String {
    do {
      _ = try Self.plan(configure).carryOut(on: table, from: "t.csv")
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test func columnsAreDroppedHashedAndGeneralised() throws {
    let key = [UInt8](repeating: 7, count: 20)
    let width = try #require(DecimalNumber("10"))
    let (table, report) = try Self.plan {
      $0.dropped = ["condition"]
      $0.hashed = ["nationality"]
      $0.key = key
      $0.generalised = [("age", .intervals(width: width)), ("zip", .prefix(3))]
    }.carryOut(on: Self.inpatients, from: "t.csv")
    #expect(table.names == ["zip", "age", "nationality"] && table.rowCount == 12)
    #expect(Set(table.columns[0]) == ["130**", "148**"] && table.columns[1].prefix(2) == ["[20, 30)", "[20, 30)"])
    #expect(table.columns[2][0] == HMAC(key: key).digest(of: Array("Russian".utf8)).hex)
    #expect(table.columns[2][0] == table.columns[2][5] && Set(table.columns[2]).count == 4)
    #expect(report.columns.map(\.operation) == [.generalise, .generalise, .hash, .drop] && report.key == "file")
    #expect(
      report.columns.map(\.distinctBefore) == [4, 12, 4, 3] && report.columns.map(\.distinctAfter) == [2, 4, 4, nil])
    #expect(report.found == nil && report.shortfalls.isEmpty)
    // A fresh key is another one each time.
    let fresh = try (0..<2).map { _ in
      try Self.plan { $0.hashed = ["zip"] }.carryOut(on: Self.inpatients, from: "t.csv").table.columns[0]
    }
    #expect(fresh[0] != fresh[1] && fresh[0][0] == fresh[0][3] && fresh[0][0].utf8.count == 64)
  }

  /// Rows that are too few are removed, or their quasi-identifiers, and never more than may be.
  @Test func suppression() throws {
    let table = CSVText(
      names: ["q", "s"], columns: [["a", "a", "a", "b", "b", "c"], ["1", "2", "3", "4", "5", "6"]])
    func outcome(_ suppression: AnonymisationPlan.Suppression, k: Int, limit: Double) throws -> (
      CSVText, AnonymisationReport
    ) {
      try Self.plan {
        $0.quasiIdentifiers = ["q"]
        ($0.k, $0.suppression, $0.suppressionLimit) = (k, suppression, limit)
      }.carryOut(on: table, from: "t.csv")
    }
    let (removed, report) = try outcome(.remove, k: 2, limit: 0.2)
    #expect(removed.columns == [["a", "a", "a", "b", "b"], ["1", "2", "3", "4", "5"]])
    #expect(report.found?.k == 2 && report.suppressedRows == 1 && report.rowsLeft == 5 && report.shortfalls.isEmpty)
    #expect(report.found?.discernibility == 9 + 4 + 6)
    // A single starred row would be a class of one, so the next smallest class joins it.
    let (starred, other) = try outcome(.star, k: 2, limit: 0.5)
    #expect(starred.columns[0] == ["a", "a", "a", "*", "*", "*"] && other.found?.k == 3 && other.suppressedRows == 3)
    let (_, short) = try outcome(.remove, k: 3, limit: 0.2)
    #expect(short.shortfalls.count == 2 && short.rowsLeft == 6, "\(short.shortfalls)")
    let (nothing, gone) = try outcome(.remove, k: 4, limit: 1)
    #expect(nothing.rowCount == 0 && gone.shortfalls.contains("no row is left") && gone.found?.k == 0)
  }

  /// Datafly's way: coarser until it is enough, and not further.
  @Test func theSearchReachesWhatIsAskedFor() throws {
    let width = try #require(DecimalNumber("5"))
    let configure: (inout AnonymisationPlan) -> Void = {
      $0.generalised = [("age", .intervals(width: width)), ("zip", .prefix(4))]
      ($0.quasiIdentifiers, $0.sensitive) = (["zip", "age", "nationality"], ["condition"])
      ($0.k, $0.achieves) = (4, true)
    }
    let (table, report) = try Self.plan(configure).carryOut(on: Self.inpatients, from: "t.csv")
    #expect(report.found?.k ?? 0 >= 4 && report.shortfalls.isEmpty, "\(report)")
    #expect(Set(table.columns[2]) == ["*"] && Set(table.columns[0]).count == 3, "\(table)")
    let (_, diverse) = try Self.plan {
      configure(&$0)
      ($0.l, $0.t) = (3, 0.3)
    }.carryOut(on: Self.inpatients, from: "t.csv")
    #expect(diverse.found?.sensitive[0].distinctL == 3 && diverse.found?.sensitive[0].t ?? 1 <= 0.3)
    let (_, never) = try Self.plan {
      configure(&$0)
      $0.k = 13
    }.carryOut(on: Self.inpatients, from: "t.csv")
    #expect(never.shortfalls == ["k-anonymity is 12, and 13 is asked for"])
  }

  @Test func hierarchies() throws {
    let scratch = try Scratch()
    let path = try scratch.write("Russian,Europe,*\nAmerican,America,*\nJapanese,Asia,*\nIndian,Asia,*\n", to: "h.csv")
    let hierarchy = try Hierarchy(path: path)
    #expect(hierarchy.levels == 2)
    let (table, _) = try Self.plan { $0.generalised = [("nationality", .hierarchy(hierarchy, level: 1))] }
      .carryOut(on: Self.inpatients, from: "t.csv")
    #expect(table.columns[2].prefix(3) == ["Europe", "America", "Asia"])
    let short = try Hierarchy(path: try scratch.write("Russian,Europe\n1,2\n", to: "short.csv"))
    #expect(
      error { $0.generalised = [("nationality", .hierarchy(short, level: 1))] }
        == "\(scratch.path)/short.csv: has no row for \"American\" of column \"nationality\"; add one")
    let twice = try scratch.write("a,b\na,c\n", to: "twice.csv")
    #expect(throws: AnonymisationError.self) { try Hierarchy(path: twice) }
    let narrow = try scratch.write("a\nb\n", to: "narrow.csv")
    #expect(throws: AnonymisationError.self) { try Hierarchy(path: narrow) }
  }

  /// Without rounding, and rounded down, also below zero.
  @Test func intervals() throws {
    for (number, width, interval) in [
      ("0.3", "0.1", "[0.3, 0.4)"), ("-1", "5", "[-5, 0)"), ("-5", "5", "[-5, 0)"), ("29.99", "10", "[20, 30)"),
      ("1e3", "250", "[1000, 1250)"), ("1.5e-3", "0.001", "[0.001, 0.002)"), ("+7", "2.5", "[5, 7.5)"),
      ("0", "1", "[0, 1)"),
      ("-0.05", "0.1", "[-0.1, 0)"), ("007", "10", "[0, 10)"),
      ("9007199254740993", "2", "[9007199254740992, 9007199254740994)"),
    ] {
      let table = CSVText(names: ["x"], columns: [[number, ""]])
      let width = try #require(DecimalNumber(width))
      let outcome = try Self.plan { $0.generalised = [("x", .intervals(width: width))] }.carryOut(
        on: table, from: "t.csv")
      #expect(outcome.table.columns == [[interval, ""]])
    }
    for text in ["", "-", ".", "1,5", "nan", "inf", "0x10", "1e400", "1e", "--1", "1.2.3", "99999999999999999999"] {
      #expect(DecimalNumber(text) == nil || text == "99999999999999999999", "\(text)")
    }
    let width = try #require(DecimalNumber("10"))
    let table = CSVText(names: ["x"], columns: [["old"]])
    #expect(
      error(table) { $0.generalised = [("x", .intervals(width: width))] }.hasPrefix(
        "t.csv: row 1: \"old\" in column \"x\" is not a number"))
  }

  @Test func shufflingKeepsTheRows() throws {
    let numbers = (0..<200).map(String.init)
    let table = CSVText(names: ["a", "b"], columns: [numbers, numbers])
    let (shuffled, report) = try Self.plan { $0.shuffles = true }.carryOut(on: table, from: "t.csv")
    #expect(shuffled.columns[0] == shuffled.columns[1] && shuffled.columns[0] != numbers && report.isShuffled)
    #expect(shuffled.columns[0].sorted() == numbers.sorted())
  }

  @Test func plansThatCannotBe() {
    #expect(error { $0.dropped = ["age", "age"] }.contains("by --drop and again by --drop"))
    #expect(error { ($0.dropped, $0.hashed) = (["age"], ["age"]) }.contains("by --drop and again by --hash"))
    #expect(error { ($0.dropped, $0.quasiIdentifiers) = (["age"], ["age"]) }.contains("is dropped"))
    #expect(
      error { ($0.sensitive, $0.quasiIdentifiers) = (["age"], ["age"]) }.contains("sensitive and a quasi-identifier"))
    #expect(error { $0.k = 2 } == "--k needs --quasi-identifiers")
    #expect(error { ($0.quasiIdentifiers, $0.l) = (["age"], 2) }.contains("need --sensitive"))
    #expect(error { ($0.quasiIdentifiers, $0.suppression) = (["age"], .remove) } == "--suppress needs --k")
    #expect(error { ($0.quasiIdentifiers, $0.achieves) = (["age"], true) } == "--achieve needs --k, --l or --t")
    #expect(error { ($0.hashed, $0.key) = (["age"], [1, 2]) }.contains("has 2 bytes"))
    #expect(error { $0.dropped = Self.inpatients.names } == "--drop leaves no column; keep one")
    #expect(
      error { $0.dropped = ["Age"] }
        == "t.csv: has no column \"Age\"; its columns are \"zip\", \"age\", \"nationality\", \"condition\"")
  }
}
