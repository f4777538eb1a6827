import Tensors

/// A recipe as lines of text in a fixed order: model, task, batch sizes, optimizer, dataset digest, BLAS core.
///
/// Two runs with equal fingerprints compute the same bits.
public struct Fingerprint: Hashable, Sendable, ExpressibleByDictionaryLiteral {
  /// One line of a fingerprint.
  public struct Entry: Hashable, Sendable {
    /// The key: "global_batch".
    public let key: String
    /// The value as text: "32".
    public let value: String

    /// Whether keys and values are the same, byte for byte.
    public static func == (left: Entry, right: Entry) -> Bool {
      ExactText(left.key) == ExactText(right.key) && ExactText(left.value) == ExactText(right.value)
    }
  }

  /// A line in which two fingerprints differ.
  public struct Difference: Hashable, Sendable, CustomStringConvertible {
    /// The key.
    public let key: String
    /// The value in the checkpoint; nil if it has no such line.
    public let saved: String?
    /// The value asked for now; nil if there is no such line.
    public let current: String?

    /// `global_batch is 32 there and 64 here`. Long values are shown from a little before their difference on.
    public var description: String {
      let start = Self.start(saved ?? "", current ?? "")
      func shown(_ value: String?) -> String {
        guard let value = value ?? Self.usual[key] else { return "not given" }
        return plain(start == 0 ? value : "…\(String(value.unicodeScalars.dropFirst(start)))")
      }
      return "\(plain(key)) is \(shown(saved)) there and \(shown(current)) here"
    }

    /// The values of lines that are left out where they are the usual ones.
    private static let usual = ["precision": "fp32"]

    /// The number of characters that need not be shown of two values.
    private static func start(_ left: String, _ right: String) -> Int {
      let common = zip(left.unicodeScalars, right.unicodeScalars).prefix { $0 == $1 }.count
      return common < 60 ? 0 : common - 30
    }
  }

  /// The lines in their order. No two have the same key.
  public private(set) var entries: [Entry] = []

  /// An empty fingerprint.
  public init() {}

  /// A fingerprint of these lines, whose keys must differ.
  init(uniqueEntries: [Entry]) { entries = uniqueEntries }

  /// A fingerprint of these lines, whose keys must differ.
  public init(dictionaryLiteral elements: (String, String)...) {
    for (key, value) in elements {
      precondition(self[key] == nil, "the fingerprint's key \(key) is given twice")
      self[key] = value
    }
  }

  /// The value for `key`. A new key is added at the end; setting nil removes the line.
  public subscript(key: String) -> String? {
    get { entries.first { ExactText($0.key) == ExactText(key) }?.value }
    set {
      let index = entries.firstIndex { ExactText($0.key) == ExactText(key) }
      switch (index, newValue) {
      case (let index?, let value?): entries[index] = Entry(key: key, value: value)
      case (let index?, nil): entries.remove(at: index)
      case (nil, let value?): entries.append(Entry(key: key, value: value))
      case (nil, nil): break
      }
    }
  }

  /// The lines in which this fingerprint, that of now, differs from `saved`, except those with keys in `ignored`. The
  /// order of the lines does not matter.
  public func differences(from saved: Fingerprint, ignoring ignored: Set<String> = []) -> [Difference] {
    // By dictionary, because a hostile file may have as many lines as its header has room for.
    let currentValues = Dictionary(entries.map(\.exact)) { first, _ in first }
    let savedValues = Dictionary(saved.entries.map(\.exact)) { first, _ in first }
    let ignored = Set(ignored.map(ExactText.init))
    let keys = entries.map(\.exact.0) + saved.entries.map(\.exact.0).filter { currentValues[$0] == nil }
    return keys.filter { !ignored.contains($0) && currentValues[$0] != savedValues[$0] }
      .map { Difference(key: $0.text, saved: savedValues[$0]?.text, current: currentValues[$0]?.text) }
  }
}

extension Fingerprint.Entry {
  fileprivate var exact: (ExactText, ExactText) { (ExactText(key), ExactText(value)) }
}

/// `text` unchanged if it is short and plain, else quoted: it may come from a hostile file.
private func plain(_ text: String) -> String {
  let isPlain = !text.isEmpty && text.utf8.count <= 80 && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  return isPlain ? text : quoted(text)
}
