/// The kind of a data set's targets: a class for each sample, or real numbers.
public enum Targets: Hashable, Sendable, CustomStringConvertible {
  /// Whole numbers, found in the data, the smallest to the largest. Which classes they tell apart follows from all parts of the data;
  /// see ``Classes``.
  case labels(ClosedRange<Int>)
  /// Labels of these classes, whether or not each of them occurs.
  case classes(Classes)
  /// Real numbers, `count` for each sample.
  case values(count: Int)

  /// The targets of several parts of one data set: ``classes(_:)`` that hold the labels of all, or ``values(count:)``.
  ///
  /// Throws ``DatasetError`` where one part has classes and another real numbers, or another number of them, and where labels lie too
  /// far apart.
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

  /// The range in which all labels lie; nil where the targets are real numbers.
  public var labelRange: ClosedRange<Int>? {
    switch self {
    case .labels(let range): range
    case .classes(let classes): classes.firstLabel...classes.lastLabel
    case .values: nil
    }
  }

  /// The real numbers for each sample; nil where the targets are labels.
  public var valueCount: Int? { if case .values(let count) = self { count } else { nil } }

  /// `classes` or `3 real numbers`, as error lines have it.
  public var description: String {
    switch self {
    case .labels, .classes: "classes"
    case .values(let count): "\(count) real number\(count == 1 ? "" : "s")"
    }
  }
}
