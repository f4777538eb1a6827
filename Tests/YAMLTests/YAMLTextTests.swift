import Fuzzing
import Tensors
import Testing
import YAML

struct YAMLTextTests {
  private static func value(_ text: String) throws -> JSONValue { try YAMLText(Array(text.utf8)).value }

  private static let settings = """
    # A run.
    data: fashion-mnist
    epochs: 10
    learning-rate: 1e-3
    nesterov: true
    warmup: ~
    run-dir: "runs/12"
    augment: [shift:2, 'flip']
    nested:
      - {a: 1, b: [true, null]}
      - |
        two
        lines
    """

  @Test func aFileOfSettings() throws {
    let members = try #require(try Self.value(Self.settings).members)
    #expect(
      members == [
        .init("data", .string("fashion-mnist")), .init("epochs", .number("10")),
        .init("learning-rate", .number("1e-3")),
        .init("nesterov", .boolean(true)), .init("warmup", .null), .init("run-dir", .string("runs/12")),
        .init("augment", .array([.string("shift:2"), .string("flip")])),
        .init(
          "nested",
          .array([
            .object([.init("a", .number("1")), .init("b", .array([.boolean(true), .null]))]), .string("two\nlines"),
          ])),
      ])
  }

  /// The examples of the core schema (yaml.org/spec/1.2.2, 10.3.2), and what only looks like them.
  @Test(arguments: [
    ("0", true), ("-19", true), ("+12e03", true), ("0.", true), ("-.5", true), ("12.3e-2", true), ("3", true),
    (".", false), ("+", false), ("1e", false), ("1e+", false), ("0x3A", false), ("1 2", false), ("1_000", false),
    (".inf", false), ("e3", false), ("--1", false),
  ]) func numbers(text: String, isNumber: Bool) throws {
    #expect(try Self.value(text) == (isNumber ? .number(text) : .string(text)))
    #expect(try Self.value("'\(text)'") == .string(text), "quoted")
  }

  @Test func wordsOfTheCoreSchema() throws {
    for text in ["", "~", "null", "Null", "NULL", "---\n...\n", "# nothing"] { #expect(try Self.value(text) == .null) }
    for text in ["true", "True", "TRUE"] { #expect(try Self.value(text) == .boolean(true)) }
    for text in ["false", "False", "FALSE"] { #expect(try Self.value(text) == .boolean(false)) }
    for text in ["yes", "off", "nULL", "tRUE"] {
      #expect(try Self.value(text) == .string(text), "texts since YAML 1.2")
    }
  }

  @Test(arguments: [
    ("a: 1\na: 2", 2, "\"a\" a second time"), ("a: &x 1", 1, "anchor"), ("a: *x", 1, "alias"), ("a: !!str 1", 1, "tag"),
    ("--- 1\n--- 2", 2, "second document"), ("[1]: 2", 1, "no text"), ("? {a: 1}\n: 2", 1, "no text"),
    ("a: 1\n b: 2", 2, "mapping"), ("[1, 2", 1, "expected"), ("\"open", 1, "end of stream"), ("a:\tb: 1", 1, "mapping"),
    ("{" + String(repeating: "a: {", count: 70), 1, "64 levels"),
    (String(repeating: "[", count: 100_000), 1, "64 levels"),
  ]) func whatIsRefused(text: String, line: Int, words: String) throws {
    let error = try #require(throws: YAMLError.self) { try Self.value(text) }
    #expect(error.problem.contains(words), "\(error)")
    // Where a text ends too early is libyaml's to say.
    #expect(error.line >= line && error.column >= 1, "\(error)")
  }

  @Test func bytesThatAreNoText() {
    for bytes in [[0xFF, 0xFE, 0x61, 0], [0x61, 0x3A, 0x20, 0xC3], [0x61, 0x3A, 0x20, 0]] as [[UInt8]] {
      #expect(throws: YAMLError.self) { try YAMLText(bytes) }
    }
  }

  /// JSON is YAML, so both readers say the same.
  @Test func jsonIsYAML() throws {
    let text = #"{"a": [1, -2.5e3, "x\ny\u00e9", true, null], "b": {"c": {}}, "d": []}"#
    #expect(try Self.value(text) == (try JSONValue(Array(text.utf8))))
  }

  @Test func everyLengthAndMutants() {
    let bytes = Array(Self.settings.utf8)
    for count in 0...bytes.count { _ = try? YAMLText(Array(bytes[..<count])) }
    Mutants(seed: 31).forEach(of: [bytes, Array("a: {b: [1, 'c'], d: |\n  e\n}".utf8)]) { _, mutant, _ in
      do throws(YAMLError) { _ = try YAMLText(mutant) } catch { #expect(!error.problem.isEmpty && error.line >= 1) }
    }
  }
}
