import NeuralNetworks

/// The report of an evaluation of a network that tells classes apart.
///
/// Values are those of scikit-learn's `classification_report`, `log_loss` and `confusion_matrix` on the same
/// predictions.
public struct ClassificationReport: Sendable, Codable, Hashable {
  /// The scores of one class.
  public struct Row: Sendable, Codable, Hashable {
    /// The class's label, or what it stands for.
    public var name: String
    /// The part of the samples predicted as this class that are of it, 0 to 1.
    public var precision: Double
    /// The part of the samples of this class that are predicted as it, 0 to 1.
    public var recall: Double
    /// The harmonic mean of precision and recall, 0 to 1.
    public var f1: Double
    /// The samples of the class.
    public var samples: Int
  }

  /// Scores averaged over classes.
  public struct Average: Sendable, Codable, Hashable {
    /// The mean precision, 0 to 1.
    public var precision: Double
    /// The mean recall, 0 to 1.
    public var recall: Double
    /// The mean of the F1 scores, 0 to 1.
    public var f1: Double
  }

  /// The part of the samples that are predicted rightly, 0 to 1.
  public var accuracy: Double
  /// The mean over the classes that occur.
  public var macro: Average
  /// The mean over the samples: the accuracy, three times.
  public var micro: Average
  /// The mean log-loss of a sample, in nats.
  public var logLoss: Double
  /// The expected calibration error over 15 bins.
  public var calibrationError: Double
  /// Every class, in the order of their labels.
  public var classes: [Row]
  /// The numbers of samples of each class (row) that are taken for each class (column); nil for more than
  /// ``ConfusionMatrix/mostClasses`` classes.
  public var confusion: [[Int]]?
  /// The bins of ``calibrationError``, those of the smallest probabilities first; nil in files from before there were some.
  public var reliability: [ReliabilityBin]?

  enum CodingKeys: String, CodingKey {
    case accuracy, macro, micro, classes, confusion, reliability
    case logLoss = "log_loss"
    case calibrationError = "calibration_error"
  }

  /// The metrics of which the report is made, for a network that is trained on `loss`.
  package static func metrics(of loss: any ClassLoss) -> [any Metric] {
    [ConfusionMatrix(classes: loss.classes), LogLoss(), CalibrationError()]
  }

  /// The report from the counters of ``metrics(of:)``.
  package init(_ counters: [[Int]], loss: any ClassLoss) {
    let matrix = ConfusionMatrix(classes: loss.classes)
    let scores = Dictionary(
      uniqueKeysWithValues: zip(Self.metrics(of: loss), counters).flatMap { $0.scores($1) }.map { ($0.name, $0.value) })
    func score(_ name: String) -> Double { scores[name] ?? .nan }
    accuracy = score("accuracy")
    macro = Average(precision: score("macro_precision"), recall: score("macro_recall"), f1: score("macro_f1"))
    micro = Average(precision: accuracy, recall: accuracy, f1: accuracy)
    logLoss = score("log_loss")
    calibrationError = score("calibration_error")
    classes = matrix.classCounts(counters[0]).enumerated().map { index, counts in
      Row(
        name: loss.name(of: index), precision: counts.precision, recall: counts.recall, f1: counts.f1,
        samples: counts.samples)
    }
    confusion =
      matrix.isWhole
      ? (0..<loss.classes).map { Array(counters[0][$0 * loss.classes..<($0 + 1) * loss.classes]) } : nil
    reliability = CalibrationError().reliability(counters[2])
  }
}
