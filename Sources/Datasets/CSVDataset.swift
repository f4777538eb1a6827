import Tensors

/// Samples of a CSV file, cleaned, encoded and normalised (``CSVParts``).
public struct CSVDataset: Dataset {
  /// The path of the file.
  public var name: String { samples.name }
  /// The lines of ``CSVOptions`` that made it.
  public let preparation: [(key: String, value: String)]
  /// What the classes stand for, in the order of their labels; nil if the targets are numbers.
  public let classNames: [String]?

  private let samples: InMemoryDataset

  init(_ samples: InMemoryDataset, classNames: [String]?, preparation: [(key: String, value: String)]) {
    (self.samples, self.classNames, self.preparation) = (samples, classNames, preparation)
  }

  public var count: Int { samples.count }
  /// `[inputs]`.
  public var inputShape: Shape { samples.inputShape }
  public var targets: Targets { samples.targets }
  /// The digest of the samples as they are after all that was done to them.
  public var digest: SHA256Digest { samples.digest }

  public func copyInputs(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>, noise: Noise?) {
    self.samples.copyInputs(of: samples, into: destination, noise: noise)
  }

  public func copyInputs(in samples: Range<Int>, into destination: Buffer<Float>) {
    self.samples.copyInputs(in: samples, into: destination)
  }

  public func copyLabels(of samples: ArraySlice<UInt32>, into destination: Buffer<Int32>) {
    self.samples.copyLabels(of: samples, into: destination)
  }

  public func copyLabels(in samples: Range<Int>, into destination: Buffer<Int32>) {
    self.samples.copyLabels(in: samples, into: destination)
  }

  public func copyValues(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>) {
    self.samples.copyValues(of: samples, into: destination)
  }

  public func copyValues(in samples: Range<Int>, into destination: Buffer<Float>) {
    self.samples.copyValues(in: samples, into: destination)
  }
}
