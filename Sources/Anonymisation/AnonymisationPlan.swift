import Datasets
import Digests
import Tensors

/// What to do to a table so that it tells less of single people, and what must be reached by it.
///
/// In this order: columns are dropped and hashed; quasi-identifiers are generalised, and if ``achieves`` further until enough rows are alike
/// (Sweeney 2002, Datafly: the one with the most values first); rows in classes that are still too small are suppressed; rows are
/// shuffled; the outcome is measured.
public struct AnonymisationPlan: Sendable {
  /// What becomes of rows that too few others are like.
  public enum Suppression: String, Sendable, CaseIterable {
    /// They are removed.
    case remove
    /// Their quasi-identifiers become stars.
    case star
  }

  /// The columns that are left out.
  public var dropped: [String] = []
  /// The columns whose values become HMAC-SHA-256 digests. Empty values stay empty.
  public var hashed: [String] = []
  /// The key of hashes; nil for a fresh one that nobody keeps, so that hashes of two runs cannot be joined.
  public var key: [UInt8]?
  /// The columns whose values become coarser.
  public var generalised: [(name: String, how: Generalisation)] = []
  /// The columns that others may know of a person.
  public var quasiIdentifiers: [String] = []
  /// The columns that they must not learn.
  public var sensitive: [String] = []
  /// The rows that each row must be like, itself included; nil if that is only measured.
  public var k: Int?
  /// The different sensitive values that each class must have.
  public var l: Int?
  /// The exp of the entropy that each class must have.
  public var entropyL: Double?
  /// The most that a class's sensitive values may lie from those of the table.
  public var t: Double?
  /// Whether quasi-identifiers are generalised until what is asked for is reached.
  public var achieves = false
  /// What becomes of rows in classes of fewer than ``k``; nil if they stay.
  public var suppression: Suppression?
  /// The largest part of the rows that may be suppressed, 0 to 1.
  public var suppressionLimit = 0.05
  /// Whether rows are put into a random order, so that nobody joins two tables by it (Sweeney 2002, the unsorted matching attack).
  public var shuffles = false

  /// The fewest bytes of a key.
  public static let fewestKeyBytes = 16

  /// Nothing to do.
  public init() {}

  /// The fault in these values, in one line; nil if there is none.
  public var fault: String? {
    let twice = [("--drop", dropped), ("--hash", hashed), ("--generalise", generalised.map(\.name))]
    for (index, (flag, names)) in twice.enumerated() {
      for (other, others) in twice[index...] {
        for (place, name) in names.enumerated() {
          let isAgain =
            flag == other
            ? names[..<place].contains { ExactText($0) == ExactText(name) }
            : others.contains { ExactText($0) == ExactText(name) }
          if isAgain { return "column \(quoted(name)) is named by \(flag) and again by \(other); name it once" }
        }
      }
    }
    for name in sensitive + quasiIdentifiers where dropped.contains(where: { ExactText($0) == ExactText(name) }) {
      return "column \(quoted(name)) is dropped, so it cannot be measured; leave it out of the others"
    }
    for name in sensitive where quasiIdentifiers.contains(where: { ExactText($0) == ExactText(name) }) {
      return "column \(quoted(name)) cannot be sensitive and a quasi-identifier"
    }
    if let k, k < 1 { return "--k \(k) is less than 1" }
    if let l, l < 1 { return "--l \(l) is less than 1" }
    if let entropyL, !(entropyL >= 1 && entropyL.isFinite) { return "--entropy-l \(entropyL) is less than 1" }
    if let t, !(t >= 0 && t <= 1) { return "--t \(t) is not between 0 and 1" }
    if !(suppressionLimit >= 0 && suppressionLimit <= 1) {
      return "--suppression-limit \(suppressionLimit) is not between 0 and 1"
    }
    if quasiIdentifiers.isEmpty {
      if k != nil { return "--k needs --quasi-identifiers" }
      if !sensitive.isEmpty { return "--sensitive needs --quasi-identifiers" }
    }
    if sensitive.isEmpty && (l != nil || entropyL != nil || t != nil) {
      return "--l, --entropy-l and --t need --sensitive, the column that they protect"
    }
    if suppression != nil && k == nil { return "--suppress needs --k" }
    if achieves && k == nil && l == nil && entropyL == nil && t == nil { return "--achieve needs --k, --l or --t" }
    if let key, key.count < Self.fewestKeyBytes {
      return "the key of --hash-key has \(key.count) bytes; give it \(Self.fewestKeyBytes) random ones or more"
    }
    return nil
  }

  /// Carries the plan out on `table`, which was read from `path`. Throws ``AnonymisationError``; what is not reached is in the
  /// report's ``AnonymisationReport/shortfalls``, and then the table must not be handed on.
  public func carryOut(
    on table: CSVText, from path: String
  ) throws(AnonymisationError) -> (table: CSVText, report: AnonymisationReport) {
    if let fault { throw .usage(fault) }
    for name in dropped + hashed + generalised.map(\.name) + quasiIdentifiers + sensitive
    where table.column(name) == nil {
      let known = table.names.prefix(20).map { quoted($0) }.joined(separator: ", ")
      throw .usage(
        "\(path): has no column \(quoted(name)); its columns are \(known)\(table.names.count > 20 ? ", …" : "")")
    }
    var work = AnonymisationWork(self, table, from: path)
    try work.changeColumns()
    try work.generalise()
    work.suppress()
    if shuffles { work.shuffle() }
    return (work.result, work.report)
  }
}
