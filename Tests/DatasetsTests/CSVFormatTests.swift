import Datasets
import Tensors
import Testing

/// The format: what is read, and what is refused with which line.
@Suite struct CSVFormatTests {
  private let samples: CSVSamples

  init() throws { samples = try CSVSamples() }

  private static let plain = "a,b,y\n1,2,0\n3,4,1\n5,6,0\n"

  /// The same table in the ways that programs write it.
  @Test(arguments: [
    plain, "a,b,y\r\n1,2,0\r\n3,4,1\r\n5,6,0\r\n", "a,b,y\r1,2,0\r3,4,1\r5,6,0", "a,b,y\n1,2,0\n3,4,1\n5,6,0",
    "\u{FEFF}a,b,y\n1,2,0\n3,4,1\n5,6,0\n", "\n\n  \na,b,y\n\n1,2,0\r\n\r\n\t\n3,4,1\n5,6,0\n\n\n ",
    "\"a\",\"b\",\"y\"\n\"1\",\"2\",\"0\"\n3,\"4\",1\n5,6,\"0\"", " a , b,y \n\t1 , 2,\t0\n3,  4,1 \n5,6 , \"0\" \n",
    "a,b,y\n+1,2.0,0\n3.,4e0,1e0\n.5E+1,600e-2,-0\n",
  ])
  func oneTableInManyWays(_ text: String) throws {
    let data = try samples.parts(text, test: Self.plain) { $0.duplicates = .keep }.training
    #expect(data.rows == [[1, 2], [3, 4], [5, 6]])
    #expect(data.labels == [0, 1, 0])
    let expected = try samples.parts(Self.plain, test: Self.plain) { $0.duplicates = .keep }
    #expect(data.digest == expected.training.digest && data.digest == expected.test.digest)
  }

  @Test func quotesHoldCommasLinesAndQuotes() throws {
    let text = "\"a, b\",\"he said \"\"x\"\"\",y\r\n\"u,\"\"v\",1,\"no\r\nno\"\r\n\"\",2,yes\nw,3,yes\n"
    let parts = try samples.parts(text, test: text) { $0.missing = .mean }
    #expect(parts.report.columns.map(\.name) == ["a, b", "he said \"x\""])
    #expect(parts.report.columns[0].categories == ["u,\"v", "w"])
    #expect(parts.report.classes == ["no\r\nno", "yes"])
    // A quoted field may be missing too; the first of two categories that are as frequent fills it.
    #expect(parts.training.rows == [[1, 0, 1], [1, 0, 2], [0, 1, 3]])
    #expect(
      try samples.error("a,y\n\"x\ny\",1\n\"x\n\",2,3\n") == "table.csv:4: 3 fields, where the first row has 2; "
        + "give every row as many; a comma inside a field needs quotes around it")
  }

  @Test(arguments: [
    ("a,y\n1,0\n2,\"1\n3,0\n", "table.csv:3: the quote that opens here is never closed"),
    ("a,y\n1,0\n2,1\"\n3,0\n", "table.csv:3: a quote stands inside a field that does not begin with one"),
    ("a,y\n1,0\n\"2\"2,1\n", "table.csv:3: a closing quote is followed by something"),
    ("a,y\n1,0\n\"2\" \"2\",1\n", "table.csv:3: a closing quote is followed by something"),
    ("a,y\n1,0\n\"2\n\n\"2,1\n", "table.csv:5: a closing quote is followed by something"),
    ("a,y\n1,0\n\n2\n", "table.csv:4: 1 field, where the first row has 2"),
    ("a,y\n1,0\n2,1,\n", "table.csv:3: 3 fields, where the first row has 2"),
    ("a,y\n1,0\n2,1\n,\n,,", "table.csv:5: 3 fields, where the first row has 2"),
    ("a,y\r\n1,0\r\n2,1e999\r\n", "table.csv:3: \"1e999\" in column \"y\" is not a finite number"),
    ("a,y\n1,0\n-inf,1\n", "table.csv:3: \"-inf\" in column \"a\" is not a finite number"),
    ("a,y\n1,0\nInfinity,1\n", "table.csv:3: \"Infinity\" in column \"a\" is not a finite number"),
    ("a,y\n1,0\n1e39,1\n", "table.csv:3: \"1e39\" in column \"a\" is not a finite number"),
    ("a,a,y\n1,2,0\n", "table.csv:1: two columns are called \"a\""),
    ("a,,,y\n1,2,3,0\n", "table.csv:1: two columns are called \"\""),
    ("", "table.csv: holds no rows of data"), ("\n\r\n \n", "table.csv: holds no rows of data"),
    ("\u{FEFF}", "table.csv: holds no rows of data"),
    ("a,b,y\n", "table.csv: holds no rows of data"), ("a,b,y", "table.csv: holds no rows of data"),
    ("1,2,0", "table.csv: 1 row cannot be split"), ("a,y\n1,0\n", "table.csv: 1 row cannot be split"),
    ("y\n0\n1\n", "table.csv: no column is left beside the target"),
    ("a,b,y\n1,,0\n1,,1\n", "table.csv: 2 rows cannot be split"),
    ("a,y\n1,\n2,NA\n", "table.csv: no row is left after cleaning"),
  ])
  func malformed(_ text: String, _ expected: String) throws {
    let error = try samples.error(text)
    #expect(error.hasPrefix(expected), "\(error)")
    #expect(!error.contains("\n"))
  }

  @Test func textsThatAreNotUTF8() throws {
    for (bytes, line) in [
      (Array("a,y\nx,0\n".utf8) + [0xE9] + Array(",1\nz,0\n".utf8), 3), ([0xFF, 0xFE] + Array("a,y\n1,0\n".utf8), 1),
    ] {
      let error = #expect(throws: CSVError.self) { try samples.parts(bytes, test: bytes) }
      #expect(error?.cause == .notUTF8 && error?.line == line)
    }
  }

  @Test func noColumnIsLeft() throws {
    for text in ["a,b,y\n1,,0\n1,,1\n", "a,b,y\n,,0\n,,1\n", "y\n0\n1\n"] {
      #expect(try samples.error(text, test: text).hasPrefix("table.csv: no column is left beside the target"))
    }
  }

  @Test func filesThatCannotBeRead() throws {
    for (path, cause) in [
      (samples.scratch.path("none.csv"), CSVError.Cause.missing),
      (samples.scratch.directory, .unreadable(reason: "it is a directory")),
    ] {
      let error = #expect(throws: CSVError.self) { try CSVParts(path: path, CSVOptions()) }
      #expect(error?.cause == cause && error?.isMissingInput == true)
    }
  }

  /// A first row of numbers is no header: columns have numbers for names.
  @Test func aTableWithoutAHeader() throws {
    let parts = try samples.parts("1,2,0\n3,4,1\n5,6,0\n", test: "7,8,1\n") { $0.target = "3" }
    #expect(parts.training.rows == [[1, 2], [3, 4], [5, 6]] && parts.test.rows == [[7, 8]])
    #expect(parts.report.columns.map(\.name) == ["1", "2"])
    #expect(try samples.parts("1,2,0\n3,4,1\n5,6,0\n", test: "1,2,0\n") { $0.target = "1" }.training.rows.count == 3)
  }

  @Test func wordsForMissingValues() throws {
    let words = ["", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "?", "\"\"", "\"NA\"", "  "]
    let text = "a,y\n1,0\n3,1\n" + words.map { "\($0),1\n" }.joined()
    let parts = try samples.parts(text, test: text) {
      $0.missing = .mean; $0.duplicates = .keep
    }
    #expect(parts.training.rows == [[1], [3]] + words.map { _ in [2] })
    #expect(parts.report.cleaning.filledValues == words.count)
  }

  /// Numbers are read to the double that is nearest, as Swift reads them, and words beside numbers make a column one of texts.
  @Test func numbersAreCorrectlyRounded() throws {
    let words = [
      "0.1", "-0.3", "123456789012345", "123456789.012345678", "3.4028234663852886e38", "1e-45", "1e-999", "5e-324",
      "0.30000000000000004", "16777217", "9007199254740993", "1.7976931348623157e-308", "00012", "1e+05", "-1E-05",
      // Sixteen digits over a power of ten are rounded twice, and here to another float.
      "95.45131301879883", "944.8062438964843",
    ]
    let text = "a,y\n" + words.map { "\($0),\(words.count)\n" }.joined() + "7,0\n"
    let parts = try samples.parts(text, test: text)
    #expect(parts.training.rows.map { $0[0] } == (words + ["7"]).map { Float(Double($0) ?? .nan) })
    for word in ["0x10", "1_000", "1e", "e5", ".", "-", "+-1", "1.2.3", "1 2", "--1", "1e5.0", "nan1", "\u{0661}"] {
      let own = try samples.parts("a,y\n\(word),0\n2,1\n", test: "a,y\n2,0\n")
      #expect(own.report.columns[0].categories?.count == 2, "\(word)")
    }
  }

  @Test func aMillionColumns() throws {
    let count = 1_000_000
    let header = (0..<count).map { "c\($0)" }.joined(separator: ",")
    let rows = (0..<3).map { row in (0..<count).map { "\(row * $0 % 7)" }.joined(separator: ",") }
    let parts = try samples.parts(([header] + rows).joined(separator: "\n"), task: .regress) { $0.testFraction = 0.34 }
    #expect(parts.training.count == 2 && parts.test.count == 1)
    #expect(parts.training.inputShape == [parts.report.inputs])
    #expect(parts.report.inputs > 800_000 && parts.report.columns.count == 1000)
    #expect(parts.report.line.utf8.count < 1000)
    #expect(
      try samples.error(header + "\n" + rows[0] + ",1\n") == "table.csv:2: 1000001 fields, where the first row has "
        + "1000000; give every row as many; a comma inside a field needs quotes around it")
  }
}
