import Anonymisation
import Datasets
import Fuzzing
import Testing

/// Tables as texts: what is read is written again, and what is damaged is refused in one line.
@Suite struct CSVTextTests {
  private static let tables = [
    "zip,age,name\r\n01234,\"3\"\"0\",\"a, b\"\r\nNA,007,\"c\nd\"\r\n ,\" x\",?\r\n", "1,2\n3,4\n",
    "\u{FEFF}a\n\"\"\nb\n",
    "a,b\nx,\"\u{FEFF}\"\n\"\u{FEFF}\",é\n",
  ]

  private func lines(_ table: CSVText) -> String {
    var text = ""
    table.forEachLine { text += $0 }
    return text
  }

  @Test func fieldsStayAsTheyAre() throws {
    let scratch = try Scratch()
    let table = try CSVText(path: try scratch.write(Self.tables[0], to: "t.csv"))
    #expect(table.names == ["zip", "age", "name"] && table.hasHeader)
    #expect(table.columns == [["01234", "NA", ""], ["3\"0", "007", " x"], ["a, b", "c\nd", "?"]])
    let numbers = try CSVText(path: try scratch.write(Self.tables[1], to: "n.csv"))
    #expect(!numbers.hasHeader && numbers.names == ["1", "2"] && lines(numbers) == Self.tables[1])
  }

  @Test func whatIsWrittenIsReadAgain() throws {
    let scratch = try Scratch()
    for text in Self.tables {
      let table = try CSVText(path: try scratch.write(text, to: "t.csv"))
      #expect(try CSVText(path: try scratch.write(lines(table), to: "u.csv")) == table, "\(text)")
    }
  }

  /// A first row that has become texts is not read as a header, and neither is what is left of a header taken for a row.
  @Test func theOutcomeHasAHeader() throws {
    let scratch = try Scratch()
    for (text, names) in [("1,2\n3,4\n", ["column 1", "column 2"]), ("a,2020\nx,y\n", ["column 2020"])] {
      let table = try CSVText(path: try scratch.write(text, to: "t.csv"))
      var plan = AnonymisationPlan()
      if table.hasHeader { plan.dropped = ["a"] } else { plan.hashed = ["1"] }
      let outcome = try plan.carryOut(on: table, from: "t.csv").table
      #expect(outcome.names == names && outcome.rowCount == table.rowCount)
      #expect(try CSVText(path: try scratch.write(lines(outcome), to: "u.csv")) == outcome)
    }
  }

  /// Each is read, and then anonymised and written again, or refused with one line.
  private func isRead(_ bytes: [UInt8], _ scratch: Scratch) throws -> Bool {
    let table: CSVText
    do { table = try CSVText(path: try scratch.write(bytes, to: "t.csv")) } catch let error as CSVError {
      #expect(!error.isMissingInput && !error.description.contains(where: \.isNewline), "\(error)")
      return false
    }
    #expect(table.rowCount > 0 && table.columns.allSatisfy { $0.count == table.rowCount })
    var plan = AnonymisationPlan()
    plan.quasiIdentifiers = [table.names[0]]
    plan.sensitive = Array(table.names.dropFirst().prefix(1))
    (plan.k, plan.achieves, plan.suppression, plan.suppressionLimit) = (2, true, .star, 1)
    let (outcome, report) = try plan.carryOut(on: table, from: "t.csv")
    #expect(report.shortfalls.isEmpty == (table.rowCount >= 2), "\(report)")
    let again = try CSVText(path: try scratch.write(lines(outcome), to: "u.csv"))
    #expect(again == outcome, "\(outcome) \(again)")
    #expect(report.lines.allSatisfy { !$0.contains(where: \.isNewline) })
    return true
  }

  @Test func everyTruncationIsReadOrRefused() throws {
    let scratch = try Scratch()
    for table in Self.tables.map({ Array($0.utf8) }) {
      #expect(try isRead(table, scratch))
      for length in table.indices { _ = try isRead(Array(table[..<length]), scratch) }
    }
  }

  @Test func mutatedTablesAreReadOrRefused() throws {
    let scratch = try Scratch()
    var read = 0
    try Mutants(seed: 12).forEach(of: Self.tables.map { Array($0.utf8) }) { _, mutant, _ in
      if try isRead(mutant, scratch) { read += 1 }
    }
    #expect(read > 50, "both outcomes are tried")
  }
}
