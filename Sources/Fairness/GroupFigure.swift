/// A figure that is told for each group, by its name in files.
public enum GroupFigure: String, Sendable, CaseIterable {
  /// The part of the samples that is predicted rightly.
  case accuracy
  /// The part of the samples taken for the positive class that is of it: scikit-learn's `precision_score` with `zero_division=0`.
  case precision
  /// The true positive rate: the part of the positive class's samples that is taken for it.
  case recall
  /// The false positive rate: the part of the other classes' samples that is taken for the positive class.
  case falsePositiveRate = "false_positive_rate"
  /// The part of all samples that is taken for the positive class.
  case selectionRate = "selection_rate"
  /// The mean log-loss of a sample, in nats.
  case logLoss = "log_loss"

  /// The place of the figure in the order of all.
  var place: Int {
    switch self {
    case .accuracy: 0
    case .precision: 1
    case .recall: 2
    case .falsePositiveRate: 3
    case .selectionRate: 4
    case .logLoss: 5
    }
  }

  /// The name in a sentence.
  package var words: String { rawValue.replacing("_", with: " ") }

  /// The name at the head of a column, of 9 characters at most.
  package var title: String {
    switch self {
    case .accuracy: "accuracy"
    case .precision: "precision"
    case .recall: "recall"
    case .falsePositiveRate: "FPR"
    case .selectionRate: "selected"
    case .logLoss: "log loss"
    }
  }
}
