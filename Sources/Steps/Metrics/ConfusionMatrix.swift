/// The numbers of samples of each class that are taken for each class, and from them accuracy, precision, recall and
/// F1.
///
/// Samples of class i that are taken for class j are counted at `i · classes + j`. For more than ``mostClasses``
/// classes there are only three counters a class: its samples, those taken for it, and those rightly taken for it.
public struct ConfusionMatrix: Metric {
  /// The most classes with a whole matrix, which has the square of that number of counters.
  public static let mostClasses = 256

  /// The number of classes.
  public let classes: Int

  /// A matrix of `classes` classes.
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

  /// The counts of one class.
  public struct ClassCounts: Sendable, Hashable {
    /// The samples of the class.
    public var samples = 0
    /// The samples taken for the class.
    public var predicted = 0
    /// The samples of the class taken for it.
    public var correct = 0

    /// Counts of nothing.
    public init() {}

    init(samples: Int, predicted: Int, correct: Int) {
      (self.samples, self.predicted, self.correct) = (samples, predicted, correct)
    }

    /// The part of the samples taken for the class that is of it; 0 if there are none, as in scikit-learn.
    public var precision: Double { predicted == 0 ? 0 : Double(correct) / Double(predicted) }
    /// The part of the class's samples that is taken for it; 0 if there are none.
    public var recall: Double { samples == 0 ? 0 : Double(correct) / Double(samples) }
    /// The harmonic mean of precision and recall, 2·correct / (samples + predicted); 0 if both are 0.
    public var f1: Double { samples + predicted == 0 ? 0 : 2 * Double(correct) / Double(samples + predicted) }
  }

  /// The counts of every class, from the metric's counters.
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

  /// The accuracy, and the macro averages: the unweighted means over the classes that occur in the data or in the
  /// predictions. The micro averages of precision, recall and F1 are the accuracy, because every sample is of one
  /// class.
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
