/// The task that a table's target column is for.
public enum CSVTask: String, Sendable, Codable, CaseIterable {
  /// Telling classes apart.
  case classify
  /// Telling two classes apart by one output.
  case binary
  /// Predicting a number.
  case regress
}
