import Tensors

/// The way from a file to samples as it went: `data-report.json` in a run directory.
public struct CSVReport: Sendable, Codable, Hashable {
  /// A column that became inputs, with its figures over the training samples before they were normalised.
  public struct Column: Sendable, Codable, Hashable {
    /// The column's name in the file.
    public var name: String
    /// The number of its inputs: 1 for numbers, one for each category of texts.
    public var inputs: Int
    /// The value that takes the place of missing ones; nil if they are dropped.
    public var fill: String?
    /// The smallest number; nil for texts.
    public var minimum: Double?
    /// The largest number; nil for texts.
    public var maximum: Double?
    /// The mean; nil for texts.
    public var mean: Double?
    /// The deviation of the population.
    public var deviation: Double?
    /// The texts, in the order of their inputs; nil for numbers.
    public var categories: [String]?
  }

  /// The most columns that are listed.
  static let mostColumns = 1000

  /// The training file's path.
  public var trainingFile: String
  /// The test file's path; nil if the training file was split.
  public var testFile: String?
  /// The task that the target column is for.
  public var task: CSVTask
  /// The target column's name.
  public var target: String
  /// What the classes stand for, in the order of their labels; nil without classes.
  public var classes: [String]?
  /// The numbers of a sample's input.
  public var inputs: Int
  /// The samples to train on.
  public var trainingSamples: Int
  /// The samples to test on.
  public var testSamples: Int
  /// The part of the training file's rows that was split off for testing; nil with a test file.
  public var testFraction: Double?
  /// The seed of the choice of these rows; nil with a test file.
  public var splitSeed: UInt64?
  /// The name of a ``CSVOptions/Normalisation``.
  public var normalisation: String
  /// The name of a ``CSVOptions/MissingValues``.
  public var missing: String
  /// What cleaning did to the training file, or to the file that was split.
  public var cleaning: CSVCleaning
  /// What it did to the test file; nil if there is none.
  public var testCleaning: CSVCleaning?
  /// The columns that were left out as asked (``CSVOptions/ignored``).
  public var ignoredColumns: [String]
  /// The columns without any value.
  public var emptyColumns: [String]
  /// The columns with one value in all training samples.
  public var constantColumns: [String]
  /// The first thousand columns that became inputs.
  public var columns: [Column]

  enum CodingKeys: String, CodingKey {
    case task, target, classes, inputs, missing, cleaning, columns
    case normalisation = "normalise"
    case trainingFile = "training_file"
    case testFile = "test_file"
    case trainingSamples = "training_samples"
    case testSamples = "test_samples"
    case testFraction = "test_fraction"
    case splitSeed = "split_seed"
    case testCleaning = "test_cleaning"
    case ignoredColumns = "ignored_columns"
    case emptyColumns = "empty_columns"
    case constantColumns = "constant_columns"
  }

  /// One line for a terminal: `a.csv: 80 samples to train on, 20 to test on; …`.
  public var line: String {
    let parts =
      ["\(trainingSamples) samples to train on, \(testSamples) to test on\(testFile.map { " (\($0))" } ?? "")"]
      + ["\(inputs) input\(inputs == 1 ? "" : "s")" + (normalisation == "none" ? "" : ", normalised \(normalisation)")]
      + [taskText] + cleaning.parts + (testCleaning?.parts.map { "in the test file \($0)" } ?? [])
      + [("constant", constantColumns), ("empty", emptyColumns)].compactMap { kind, names in
        names.isEmpty ? nil : "left out \(kind) \(names.count == 1 ? "column" : "columns") \(Self.list(names))"
      }
    return singleLine("\(trainingFile): \(parts.joined(separator: "; "))")
  }

  private var taskText: String {
    "\(task.rawValue) \(escaped(target))" + (classes.map { " (\(Self.list($0)))" } ?? "")
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(10).map { escaped($0) }.joined(separator: ", ") + (names.count > 10 ? ", …" : "")
  }
}
