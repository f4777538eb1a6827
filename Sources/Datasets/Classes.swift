/// The classes that a data set's labels tell apart: an unbroken range of labels, each a class.
///
/// They are found from the labels of both parts. Labels that lie in 0 … 9 are those of ten classes, whichever of them occur:
/// so a set like MNIST is one of ten classes even where a digit is missing. Any others go from the smallest to the largest,
/// as EMNIST's letters from 1 to 26. A data set may also say which classes it has (``Targets/classes(_:)``): then it has these.
public struct Classes: Hashable, Sendable, CustomStringConvertible {
  /// The number of classes.
  public let count: Int
  /// The label of the first class.
  public let firstLabel: Int

  /// The classes of MNIST, and of all data before there were others.
  public static let ten = Classes(count: 10, firstLabel: 0)

  /// The most classes that a data set may have.
  public static let most = 65_536

  private init(count: Int, firstLabel: Int) {
    self.count = count
    self.firstLabel = firstLabel
  }

  /// `count` classes from `firstLabel` on; nil unless there is one at least and not more than ``most``, and every label fits
  /// 32 bits.
  public init?(checking count: Int, firstLabel: Int) {
    guard 1...Self.most ~= count, let first = Int32(exactly: firstLabel),
      !first.addingReportingOverflow(Int32(count - 1)).overflow
    else { return nil }
    self.init(count: count, firstLabel: firstLabel)
  }

  /// The classes that hold the targets of all `parts`.
  ///
  /// Throws ``DatasetError`` where the labels lie further apart than ``most``, or the targets of a part are real numbers.
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

  /// Whether `label` is that of a class.
  public func contains(_ label: Int) -> Bool { label >= firstLabel && label <= lastLabel }

  /// `0 to 9`, as error lines have it.
  public var description: String { "\(firstLabel) to \(lastLabel)" }
}
