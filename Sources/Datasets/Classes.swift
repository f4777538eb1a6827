/// The classes of a data set: an unbroken range of labels, each a class.
///
/// A data set may name its classes (``Targets/classes(_:)``). If no part of it does, they follow from the labels of all
/// parts. If all labels lie in 0 … 9, there are ten classes, so that a set like MNIST has ten even if a digit is
/// missing. Else the classes go from the smallest label to the largest, as EMNIST's letters from 1 to 26.
public struct Classes: Hashable, Sendable, CustomStringConvertible {
  /// The number of classes.
  public let count: Int
  /// The label of the first class.
  public let firstLabel: Int

  /// Ten classes, labelled 0 to 9: those of MNIST.
  public static let ten = Classes(count: 10, firstLabel: 0)

  /// The most classes that a data set may have.
  public static let most = 65_536

  private init(count: Int, firstLabel: Int) {
    self.count = count
    self.firstLabel = firstLabel
  }

  /// `count` classes from `firstLabel` on; nil unless `count` is in 1 … ``most`` and every label fits in 32 bits.
  public init?(checking count: Int, firstLabel: Int) {
    guard 1...Self.most ~= count, let first = Int32(exactly: firstLabel),
      !first.addingReportingOverflow(Int32(count - 1)).overflow
    else { return nil }
    self.init(count: count, firstLabel: firstLabel)
  }

  /// The classes of a data set with these parts.
  ///
  /// Throws ``DatasetError`` if there would be more than ``most``, or if the targets of a part are real numbers.
  public init(of parts: any Dataset...) throws(DatasetError) { try self.init(parts) }

  init(_ parts: [any Dataset]) throws(DatasetError) {
    var (smallest, largest) = (Int.max, Int.min)
    var areFound = true
    for part in parts {
      guard let range = part.targets.labelRange else { throw DatasetError(part.name, .noClasses(part.targets)) }
      (smallest, largest) = (min(smallest, range.lowerBound), max(largest, range.upperBound))
      if case .classes = part.targets { areFound = false }
    }
    if areFound && smallest >= 0 && largest <= 9 {
      self = .ten
    } else if largest - smallest < Self.most {
      self.init(count: largest - smallest + 1, firstLabel: smallest)
    } else {
      throw DatasetError(parts[parts.count - 1].name, .tooManyClasses(smallest: smallest, largest: largest))
    }
  }

  /// The label of the last class.
  public var lastLabel: Int { firstLabel + count - 1 }

  /// Whether a class has this label.
  public func contains(_ label: Int) -> Bool { label >= firstLabel && label <= lastLabel }

  /// The text for error lines: `0 to 9`.
  public var description: String { "\(firstLabel) to \(lastLabel)" }
}
