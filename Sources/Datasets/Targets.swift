/// The kind of a data set's targets: a class or real numbers for each sample.
public enum Targets: Hashable, Sendable, CustomStringConvertible {
  /// Integers, from the smallest to the largest that occur. The classes follow from all parts of the data
  /// (``Classes``).
  case labels(ClosedRange<Int>)
  /// Labels of these classes, whether or not each occurs.
  case classes(Classes)
  /// Real numbers, `count` for each sample.
  case values(count: Int)

  /// The targets of a data set with these parts: ``classes(_:)`` for the labels of all, or ``values(count:)``.
  ///
  /// Throws ``DatasetError`` if parts have different kinds or numbers of targets, or if there would be too many
  /// classes.
  public init(of parts: any Dataset...) throws(DatasetError) {
    for part in parts where part.targets.valueCount != parts[0].targets.valueCount {
      throw DatasetError(part.name, .targetsDiffer(part.targets, other: parts[0].targets))
    }
    if let count = parts[0].targets.valueCount {
      self = .values(count: count)
    } else {
      self = .classes(try Classes(parts))
    }
  }

  /// The range of all labels; nil if the targets are real numbers.
  public var labelRange: ClosedRange<Int>? {
    switch self {
    case .labels(let range): range
    case .classes(let classes): classes.firstLabel...classes.lastLabel
    case .values: nil
    }
  }

  /// The number of real numbers for each sample; nil if the targets are labels.
  public var valueCount: Int? { if case .values(let count) = self { count } else { nil } }

  /// The text for error lines: `classes` or `3 real numbers`.
  public var description: String {
    switch self {
    case .labels, .classes: "classes"
    case .values(let count): "\(count) real number\(count == 1 ? "" : "s")"
    }
  }
}
