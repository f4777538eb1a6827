import Console
import Datasets
import Digests
import Tensors
import Training

/// The group of each sample of a data set: its class, or the value of a column.
public struct SampleGroups: Sendable, Hashable {
  /// The most groups that are told apart.
  public static let most = 100
  /// The most different numbers of a column that are each a group, if no number of bins is asked for.
  static let mostNumbers = 20
  /// The number of quantiles into which other numbers are cut.
  public static let usualBins = 4
  /// The group of samples without a value.
  static let missing = "(missing)"

  /// What the groups are by: `class`, or a column's name.
  public let name: String
  /// The names of the groups; empty of ``classes``, which the loss names.
  public let names: [String]
  /// The group of each sample, a place in ``names``; empty of ``classes``.
  public let indices: [UInt32]
  /// Whether each sample's group is its class.
  public let isByClass: Bool

  private init(name: String, names: [String], indices: [UInt32], isByClass: Bool = false) {
    (self.name, self.names, self.indices, self.isByClass) = (name, names, indices, isByClass)
  }

  /// Each class is a group.
  public static let classes = SampleGroups(name: "class", names: [], indices: [], isByClass: true)

  /// The groups in `column`: its texts, or its numbers.
  ///
  /// Up to 20 different numbers are a group each, if `bins` is nil. Others are cut at their quantiles into `bins` groups
  /// (``usualBins``). Samples without a value are a group of their own. Throws ``TrainingError`` with 64 if there would be more than ``most``.
  public init(_ column: CSVColumn, bins: Int? = nil) throws {
    var names: [String]
    var places: [Int?]
    if let texts = column.texts {
      // A file's texts may have no row among the samples.
      let present = Set(column.values.filter { !$0.isNaN }).sorted()
      let own = Dictionary(uniqueKeysWithValues: present.enumerated().map { ($1, $0) })
      names = present.map { texts[Int($0)] }
      places = column.values.map { own[$0] }
    } else {
      let numbers = column.values.filter { !$0.isNaN }
      let present = Set(numbers).sorted()
      if bins == nil && present.count <= Self.mostNumbers {
        let own = Dictionary(uniqueKeysWithValues: present.enumerated().map { ($1, $0) })
        names = present.map { plain($0) }
        places = column.values.map { own[$0] }
      } else if present.isEmpty {
        (names, places) = ([], column.values.map { _ in nil })
      } else {
        let cut = QuantileBins(numbers, count: bins ?? Self.usualBins)
        names = cut.names
        places = column.values.map { $0.isNaN ? nil : cut.group(of: $0) }
      }
    }
    if places.contains(nil) {
      names.append(Self.missing)
      places = places.map { $0 ?? names.count - 1 }
    }
    try Self.check(names.count, of: column.name)
    self.init(name: column.name, names: names, indices: places.map { UInt32($0 ?? 0) })
  }

  /// The groups that both these and `others` tell apart: `Male + White`. Only those that occur. Throws as
  /// ``init(_:bins:)`` does.
  public func crossed(with others: SampleGroups) throws -> SampleGroups {
    precondition(
      !isByClass && !others.isByClass && indices.count == others.indices.count, "groups of different samples")
    let pairs = zip(indices, others.indices).map { UInt64($0) << 32 | UInt64($1) }
    let present = Set(pairs).sorted()
    let own = Dictionary(uniqueKeysWithValues: present.enumerated().map { ($1, UInt32($0)) })
    let name = "\(name) + \(others.name)"
    try Self.check(present.count, of: name)
    let names = present.map { "\(self.names[Int($0 >> 32)]) + \(others.names[Int($0 & 0xFFFF_FFFF)])" }
    return SampleGroups(name: name, names: names, indices: pairs.map { own[$0] ?? 0 })
  }

  private static func check(_ count: Int, of name: String) throws {
    guard count <= most else {
      throw TrainingError(
        .usage,
        "\(quoted(name)) has \(grouped(count)) groups, and at most \(most) are told apart; give a column with fewer values"
      )
    }
  }

  /// A digest of the groups of all samples, for ranks to compare.
  public var digest: SHA256Digest {
    var hasher = SHA256Hasher()
    for text in [name] + names { hasher.update(Array("\(text.utf8.count):\(text)".utf8)) }
    hasher.update(indices.flatMap { index in (0..<4).map { UInt8(truncatingIfNeeded: index >> (8 * $0)) } })
    return hasher.finalize()
  }
}
