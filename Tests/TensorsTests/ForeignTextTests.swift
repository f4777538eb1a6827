import Tensors
import Testing

/// What others chose is shown so that it can forge nothing.
@Suite struct ForeignTextTests {
  @Test(
    "What is not seen is escaped, alone and inside a message",
    arguments: [
      ("\u{1B}[2K", "\\u{1B}[2K"), ("a\nb", "a\\nb"), ("a\r\nb", "a\\r\\nb"), ("\u{7F}", "\\u{7F}"),
      ("\u{9B}2J", "\\u{9B}2J"), ("\u{85}", "\\u{85}"), ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
      ("\u{202E}x\u{2066}", "\\u{202E}x\\u{2066}"), ("\u{61C}\u{200E}\u{200F}", "\\u{61C}\\u{200E}\\u{200F}"),
      ("\u{200B}\u{200D}\u{FEFF}\u{AD}", "\\u{200B}\\u{200D}\\u{FEFF}\\u{AD}"), ("\u{3164}", "\\u{3164}"),
      ("\u{A0}", "\\u{A0}"), ("\u{E0041}", "\\u{E0041}"), ("\u{E000}", "\\u{E000}"), ("\0", "\\0"),
      ("é ü 漢 🙂 — ×", "é ü 漢 🙂 — ×"),
    ])
  func hidden(text: String, shown: String) {
    #expect(escaped(text) == shown)
    #expect(singleLine(text) == shown)
    #expect(singleLine(escaped(text)) == shown)
  }

  @Test("A backslash or a quote is no escape and no end")
  func unambiguous() {
    #expect(escaped("\\n\"") == "\\\\n\\\"")
    #expect(quoted("a\"; b") == "\"a\\\"; b\"")
    #expect(escaped("\n") != escaped("\\n"))
  }

  @Test("Every scalar below U+3000 is shown in one line")
  func oneLine() {
    for value in UInt32(0)..<0x3000 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let shown = singleLine("a\(scalar)b").unicodeScalars
      #expect(shown.allSatisfy { $0.value >= 0x20 && !(0x7F...0xA0).contains($0.value) }, "U+\(value)")
      #expect(!shown.contains { $0.properties.generalCategory == .format }, "U+\(value)")
    }
  }

  @Test("Cut by bytes, however many of them one character has", arguments: [3, 4, 79, 80, 1000])
  func limit(limit: Int) {
    for text in ["a" + String(repeating: "\u{301}", count: 100_000), String(repeating: "\n", count: 5_000)] {
      let shown = escaped(text, limit: limit)
      #expect(shown.utf8.count <= limit)
      #expect(shown.utf8.suffix(3).elementsEqual("…".utf8))
    }
    let whole = String(repeating: "a", count: limit)
    #expect(escaped(whole, limit: limit) == whole)
  }

  @Test("A long message keeps its beginning and its end", arguments: [100, 101, 102, 8192])
  func longMessage(limit: Int) {
    for filling in ["a", "\u{301}", "漢", "🙂", "\n"] {
      let shown = singleLine("where: " + String(repeating: filling, count: 10_000) + "; what to do", limit: limit)
      #expect(shown.utf8.count <= limit && shown.utf8.count >= limit - 12)
      #expect(shown.utf8.starts(with: "where: ".utf8) && shown.utf8.suffix(12).elementsEqual("; what to do".utf8))
      #expect(shown.unicodeScalars.contains("…"))
      #expect(singleLine(shown, limit: limit) == shown)
    }
    let whole = String(repeating: "a", count: limit)
    #expect(singleLine(whole, limit: limit) == whole)
  }
}

@Suite struct ExactTextTests {
  @Test("Text that only looks the same is another one")
  func bytes() {
    #expect("\u{E9}" == "e\u{301}")
    #expect(ExactText("\u{E9}") != ExactText("e\u{301}"))
    #expect(Set([ExactText("K"), ExactText("\u{212A}"), ExactText("K")]).count == 2)
  }
}
