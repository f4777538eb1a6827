import Tensors

/// The way from a CSV file to samples: target, cleaning, split and normalisation.
public struct CSVOptions: Sendable, Hashable {
  /// The treatment of rows with missing values.
  public enum MissingValues: String, Sendable, CaseIterable {
    /// The row is left out.
    case drop
    /// The mean of the column's training values takes its place; in a column of texts, the most frequent.
    case mean
    /// The median of the column's training values takes its place; in a column of texts, the most frequent.
    case median
  }

  /// The treatment of rows that repeat an earlier row of the file in every column.
  public enum DuplicateRows: String, Sendable, CaseIterable {
    /// They are left out.
    case drop
    /// They stay.
    case keep
  }

  /// The scale of columns of numbers, fitted to the training samples.
  public enum Normalisation: String, Sendable, CaseIterable {
    /// As they are in the file.
    case none
    /// (x − min) / (max − min): 0 to 1 in the training samples.
    case minMax = "min-max"
    /// (x − mean) / deviation, that of the population: a mean of 0 and a deviation of 1 in the training samples.
    case standard
  }

  /// The name of the target's column; nil for the last.
  public var target: String?
  /// The names of the columns that are left out.
  public var ignored: [String] = []
  /// The treatment of rows with missing values.
  public var missing = MissingValues.drop
  /// The treatment of rows that repeat an earlier one.
  public var duplicates = DuplicateRows.drop
  /// The scale of columns of numbers.
  public var normalisation = Normalisation.minMax
  /// The part of the file's rows that is not trained on, but tested on; nil for none.
  public var testFraction: Double?
  /// The seed of the choice of those rows.
  public var splitSeed: UInt64 = 0

  /// The part that is tested on if there is no file for it.
  public static let usualTestFraction = 0.2

  /// Rows with missing values and repeated rows dropped, numbers from 0 to 1, no split.
  public init() {}

  /// The fault in these values, in one line; nil if there is none.
  public var fault: String? {
    guard let testFraction, !(testFraction > 0 && testFraction < 1) else { return nil }
    return "\(Setting.testFraction) \(testFraction) is not between 0 and 1"
  }

  /// The lines that a checkpoint's recipe has of them; `target` is the name of the target's column.
  func settings(target: String) -> [(key: String, value: String)] {
    var settings = [
      (key: "data_target", value: target), ("data_missing", missing.rawValue),
      ("data_duplicates", duplicates.rawValue), ("data_normalise", normalisation.rawValue),
    ]
    for (index, name) in ignored.enumerated() { settings.append(("data_ignore.\(index + 1)", name)) }
    if let testFraction {
      settings += [("data_test_fraction", "\(testFraction)"), ("data_split_seed", "\(splitSeed)")]
    }
    return settings
  }

  /// The options whose `settings(target:)` are these, found by `value`; nil if they are none, or cannot be.
  public init?(settings value: (String) -> String?) {
    guard let target = value("data_target"),
      let missing = value("data_missing").flatMap(MissingValues.init),
      let duplicates = value("data_duplicates").flatMap(DuplicateRows.init),
      let normalisation = value("data_normalise").flatMap(Normalisation.init)
    else { return nil }
    (self.target, self.missing, self.duplicates) = (target, missing, duplicates)
    self.normalisation = normalisation
    while let name = value("data_ignore.\(ignored.count + 1)") { ignored.append(name) }
    if let text = value("data_test_fraction") {
      guard let fraction = Double(text), let seed = value("data_split_seed").flatMap({ UInt64($0) }) else { return nil }
      (testFraction, splitSeed) = (fraction, seed)
    }
    if fault != nil { return nil }
  }
}
