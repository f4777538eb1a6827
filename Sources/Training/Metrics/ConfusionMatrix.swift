/// How often samples of each class are taken for each class; and from that accuracy, precision, recall and F1.
///
/// Counters: the samples of a class i that are taken for j, at `i · classes + j`. For more than ``mostClasses`` only what the scores need is
/// counted, three numbers a class: its samples, those taken for it, and those rightly so.
public struct ConfusionMatrix: Metric {
  /// The most classes with a whole matrix: it has the square of that many counters.
  public static let mostClasses = 256

  /// The number of classes.
  public let classes: Int

  /// Of `classes` classes.
  public init(classes: Int) { self.classes = classes }

  /// Whether every pair of classes is counted.
  public var isWhole: Bool { classes <= Self.mostClasses }

  public var counterCount: Int { isWhole ? classes * classes : 3 * classes }

  public func count(_ predictions: Predictions, into counters: inout [Int]) {
    guard let samples = predictions.classes else { return }
    for (own, predicted) in zip(samples.own, samples.predicted) {
      if isWhole {
        counters[own * classes + predicted] += 1
      } else {
        counters[3 * own] += 1
        counters[3 * predicted + 1] += 1
        if own == predicted { counters[3 * own + 2] += 1 }
      }
    }
  }

  /// What is known of one class.
  public struct ClassCounts: Sendable, Hashable {
    /// The samples of the class; those taken for it; those of it taken for it.
    public var samples = 0
    public var predicted = 0
    public var correct = 0

    /// Of what is taken for the class, the part that is of it; 0 where nothing is, as scikit-learn has it.
    public var precision: Double { predicted == 0 ? 0 : Double(correct) / Double(predicted) }
    /// Of the class' samples, the part that is recognised; 0 where there are none.
    public var recall: Double { samples == 0 ? 0 : Double(correct) / Double(samples) }
    /// The harmonic mean of precision and recall, 2·correct / (samples + predicted); 0 where both are.
    public var f1: Double { samples + predicted == 0 ? 0 : 2 * Double(correct) / Double(samples + predicted) }
  }

  /// The counts of every class.
  public func classCounts(_ counters: [Int]) -> [ClassCounts] {
    (0..<classes).map { index in
      guard isWhole else {
        return ClassCounts(
          samples: counters[3 * index], predicted: counters[3 * index + 1], correct: counters[3 * index + 2])
      }
      return ClassCounts(
        samples: (0..<classes).reduce(0) { $0 + counters[index * classes + $1] },
        predicted: (0..<classes).reduce(0) { $0 + counters[$1 * classes + index] },
        correct: counters[index * classes + index])
    }
  }

  /// Accuracy, and the unweighted means over those classes that occur in the data or in the predictions: the macro averages. The micro
  /// averages of precision, recall and F1 are the accuracy, as every sample is of one class.
  public func scores(_ counters: [Int]) -> [Score] {
    let counts = classCounts(counters)
    let samples = counts.reduce(0) { $0 + $1.samples }
    let correct = counts.reduce(0) { $0 + $1.correct }
    let seen = counts.filter { $0.samples + $0.predicted > 0 }
    func mean(_ value: KeyPath<ClassCounts, Double>) -> Double {
      seen.reduce(0) { $0 + $1[keyPath: value] } / Double(seen.count)
    }
    return [
      Score("accuracy", Double(correct) / Double(samples)), Score("macro_precision", mean(\.precision)),
      Score("macro_recall", mean(\.recall)), Score("macro_f1", mean(\.f1)),
    ]
  }
}
