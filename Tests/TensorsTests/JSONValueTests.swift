import Tensors
import Testing

@Suite struct JSONValueTests {
  private func parsed(_ text: String) throws -> JSONValue { try JSONValue(Array(text.utf8)) }

  @Test func everyKindOfValue() throws {
    let text = #" {"a": [1, -2.5e+3, 0, true, false, null], "": {}, "é\u0041\ud83d\ude00": "x\"\\\n", "b": []} "#
    let value = try parsed(text)
    #expect(
      value
        == .object([
          .init("a", .array([.number("1"), .number("-2.5e+3"), .number("0"), .boolean(true), .boolean(false), .null])),
          .init("", .object([])), .init("éA😀", .string("x\"\\\n")), .init("b", .array([])),
        ]))
    #expect(value["b"] == .array([]) && value["c"] == nil && value["a"]?["b"] == nil)
    #expect(value.members?.map(\.key) == ["a", "", "éA😀", "b"])
  }

  /// Numbers stay as they are written, whatever their size.
  @Test func numbersAreNotRounded() throws {
    for text in ["123456789012345678901234567890", "1e999999", "0.1", "-0", "1E-7", "0.30000001192092896"] {
      #expect(try parsed(text) == .number(text))
      #expect("\(try parsed(text))" == text)
    }
  }

  @Test(
    arguments: [
      ("", 1, 1, "expected a value"), ("{", 1, 2, "expected \""), ("[1,]", 1, 4, "expected a value"),
      ("[1\n 2]", 2, 2, "expected ]"), ("{\"a\" 1}", 1, 6, "expected :"), ("{\"a\": 1,}", 1, 9, "expected \""),
      ("01", 1, 3, "expected a number without leading zeros"), ("-", 1, 2, "expected a digit"),
      ("1.", 1, 3, "expected a digit"), ("1e+", 1, 4, "expected a digit"), (".5", 1, 1, "expected a value"),
      ("nul", 1, 1, "expected null or another value"), ("1 2", 1, 3, "expected nothing behind the value"),
      ("'a'", 1, 1, "expected a value"), ("// a\n1", 1, 1, "expected a value"),
      ("\"a", 1, 3, "expected the end of a string"),
      ("{\"a\": 1,\n \"b\": {\"c\": 1, \"c\": 2}}", 2, 16, "the key \"c\" is there twice"),
      ("\u{FEFF}1", 1, 1, "expected a value"),
    ] as [(String, Int, Int, String)])
  func placesOfErrors(_ text: String, _ line: Int, _ column: Int, _ problem: String) {
    let error = #expect(throws: JSONError.self) { try parsed(text) }
    #expect(error?.description == "line \(line), column \(column): \(problem)", "\(text)")
  }

  @Test func bytesThatAreNotUTF8AreRefused() {
    #expect(throws: JSONError.self) { try JSONValue([0x22, 0xC3, 0x28, 0x22]) }
  }

  @Test func nestingIsBounded() throws {
    func nested(_ levels: Int) -> String {
      String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
    }
    #expect(throws: Never.self) { try parsed(nested(JSONValue.mostLevels)) }
    for levels in [JSONValue.mostLevels + 1, 1_000_000] {
      let error = #expect(throws: JSONError.self) { try parsed(nested(levels)) }
      #expect(error?.offset == JSONValue.mostLevels)
    }
  }

  @Test func textsAreReadBack() throws {
    let value = try parsed(#"{"a": [{"b": [1, 2]}, {"c": []}], "d": "\u0001\t\"\\", "e": {"f": [{}]}}"#)
    #expect(try parsed("\(value)") == value)
    #expect(try parsed(value.lines) == value)
    #expect(!"\(value)".contains("\n"))
    #expect(
      try parsed(#"{"name":"x","layers":[{"type":"A","n":[1,2]},{"body":[{"type":"B"}]}]}"#).lines == """
        {"name": "x", "layers": [
          {"type": "A", "n": [1, 2]},
          {"body": [
            {"type": "B"}
          ]}
        ]}
        """)
  }

  /// Of every text that is cut, and every other byte in it, a value or an error with a place.
  @Test func noDamageTraps() {
    let text = Array(#"{"a": [1.5e3, "x\u00fc\n", true, {"b": null}], "c": false}"#.utf8)
    for length in 0..<text.count { #expect(throws: JSONError.self) { try JSONValue(Array(text.prefix(length))) } }
    for place in text.indices {
      for byte in UInt8.min...UInt8.max {
        var damaged = text
        damaged[place] = byte
        do throws(JSONError) { _ = try JSONValue(damaged) } catch {
          if !error.description.hasPrefix("line ") || error.description.contains("\n") { Issue.record("\(error)") }
        }
      }
    }
  }
}
