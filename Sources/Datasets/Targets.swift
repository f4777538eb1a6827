/// The kind of a data set's targets: a class or real numbers for each sample, or the sample itself.
public enum Targets: Hashable, Sendable, CustomStringConvertible {
  /// Integers, from the smallest to the largest that occur. The classes follow from all parts of the data
  /// (``Classes``).
  case labels(ClosedRange<Int>)
  /// Labels of these classes, whether or not each occurs.
  case classes(Classes)
  /// Real numbers, `count` for each sample.
  case values(count: Int)
  /// The `count` numbers of the input itself, as it was copied: no copy is made of them, and what chance does to an input (augmentation,
  /// draws of pixels) its target has too.
  case input(count: Int)

  /// The targets of a data set with these parts: ``classes(_:)`` for the labels of all, ``values(count:)`` or
  /// ``input(count:)``.
  ///
  /// Throws ``DatasetError`` if parts have different kinds or numbers of targets, or if there would be too many
  /// classes.
  public init(of parts: any Dataset...) throws(DatasetError) {
    let first = parts[0].targets
    for part in parts where part.targets.isInput != first.isInput || part.targets.valueCount != first.valueCount {
      throw DatasetError(part.name, .targetsDiffer(part.targets, other: first))
    }
    if first.valueCount == nil {
      self = .classes(try Classes(parts))
    } else {
      self = first
    }
  }

  /// The range of all labels; nil if the targets are no labels.
  public var labelRange: ClosedRange<Int>? {
    switch self {
    case .labels(let range): range
    case .classes(let classes): classes.firstLabel...classes.lastLabel
    case .values, .input: nil
    }
  }

  /// The number of real numbers for each sample; nil if the targets are labels.
  public var valueCount: Int? {
    switch self {
    case .values(let count), .input(let count): count
    case .labels, .classes: nil
    }
  }

  /// Whether each sample's input is its target.
  public var isInput: Bool { if case .input = self { true } else { false } }

  /// The text for error lines: `classes`, `3 real numbers` or `the 784 numbers of the input`.
  public var description: String {
    switch self {
    case .labels, .classes: "classes"
    case .values(let count): "\(count) real number\(count == 1 ? "" : "s")"
    case .input(let count): "the \(count) numbers of the input"
    }
  }
}
