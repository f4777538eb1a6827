/// A value for each ``GroupFigure``; nil for one that is not defined, as the selection rate over more than two classes.
public struct FigureSet<Value: Sendable & Codable & Hashable>: Sendable, Codable, Hashable {
  /// The accuracy.
  public var accuracy: Value?
  /// The precision.
  public var precision: Value?
  /// The recall.
  public var recall: Value?
  /// The false positive rate.
  public var falsePositiveRate: Value?
  /// The selection rate.
  public var selectionRate: Value?
  /// The log-loss.
  public var logLoss: Value?

  enum CodingKeys: String, CodingKey {
    case accuracy, precision, recall
    case falsePositiveRate = "false_positive_rate"
    case selectionRate = "selection_rate"
    case logLoss = "log_loss"
  }

  /// No values.
  public init() {}

  /// The value that `make` has for each figure.
  init(_ make: (GroupFigure) -> Value?) {
    for figure in GroupFigure.allCases { self[figure] = make(figure) }
  }

  /// The value of `figure`.
  public subscript(figure: GroupFigure) -> Value? {
    get {
      switch figure {
      case .accuracy: accuracy
      case .precision: precision
      case .recall: recall
      case .falsePositiveRate: falsePositiveRate
      case .selectionRate: selectionRate
      case .logLoss: logLoss
      }
    }
    set {
      switch figure {
      case .accuracy: accuracy = newValue
      case .precision: precision = newValue
      case .recall: recall = newValue
      case .falsePositiveRate: falsePositiveRate = newValue
      case .selectionRate: selectionRate = newValue
      case .logLoss: logLoss = newValue
      }
    }
  }
}
