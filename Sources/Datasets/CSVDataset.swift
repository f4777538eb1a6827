/// Samples of a CSV file, cleaned, encoded and normalised (``CSVParts``).
///
/// Inputs are `[inputs]`, the name is the file's path, and the digest that of the samples after all that was done to them.
public struct CSVDataset: WrappedDataset {
  /// The samples in memory.
  public let base: any Dataset
  /// The lines of ``CSVOptions`` that made it.
  public let preparation: [(key: String, value: String)]
  /// What the classes stand for, in the order of their labels; nil if the targets are numbers.
  public let classNames: [String]?

  init(_ samples: InMemoryDataset, classNames: [String]?, preparation: [(key: String, value: String)]) {
    (base, self.classNames, self.preparation) = (samples, classNames, preparation)
  }
}
