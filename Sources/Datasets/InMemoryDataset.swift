import Digests
import Tensors

/// Samples that are in memory already: inputs, with labels or real numbers as targets.
///
/// ```swift
/// let data = try InMemoryDataset(inputs: Buffer([0, 0, 0, 1, 1, 0, 1, 1]), shape: [2], values: Buffer([0, 1, 1, 0]))
/// ```
/// The buffers are kept, not copied. They must not be written to afterwards.
public struct InMemoryDataset: Dataset {
  public let name: String
  public let count: Int
  public let inputShape: Shape
  public let targets: Targets
  /// The SHA-256 of the shape, the kind of the targets, and the bytes of inputs and targets.
  public let digest: SHA256Digest

  private let inputs: Buffer<Float>
  private let labels: Buffer<Int32>
  private let values: Buffer<Float>

  /// Samples with labels as targets: inputs `[labels.count, shape]`.
  ///
  /// Throws ``DatasetError`` if the counts do not fit each other, there are no samples, or a label is in no class.
  ///
  /// - Parameter classes: the classes; if nil, they follow from the labels of all parts of the data (``Classes``).
  public init(
    name: String = "the data in memory", inputs: Buffer<Float>, shape: Shape, labels: Buffer<Int32>,
    classes: Classes? = nil
  ) throws(DatasetError) {
    let found = labels.array
    guard let smallest = found.min(), let largest = found.max() else { throw DatasetError(name, .noSamples) }
    try self.init(
      name, inputs, shape, count: labels.count,
      targets: classes.map { .classes($0) } ?? .labels(Int(smallest)...Int(largest)), labels: labels,
      values: Buffer(count: 0))
    if let classes, let index = found.firstIndex(where: { !classes.contains(Int($0)) }) {
      throw DatasetError(name, .label(Int(found[index]), index: index, classes: classes))
    }
  }

  /// Samples with real numbers as targets: inputs `[samples, shape]`, values `[samples, values]`. The inputs give the
  /// number of samples.
  ///
  /// Throws ``DatasetError`` if the counts do not fit each other, or there are no samples.
  public init(
    name: String = "the data in memory", inputs: Buffer<Float>, shape: Shape, values: Buffer<Float>
  ) throws(DatasetError) {
    let samples = inputs.count / max(shape.count, 1)
    guard samples >= 1 else { throw DatasetError(name, .noSamples) }
    guard values.count >= 1, values.count % samples == 0 else {
      throw DatasetError(name, .values(values.count, samples: samples))
    }
    try self.init(
      name, inputs, shape, count: samples, targets: .values(count: values.count / samples), labels: Buffer(count: 0),
      values: values)
  }

  private init(
    _ name: String, _ inputs: Buffer<Float>, _ shape: Shape, count: Int, targets: Targets, labels: Buffer<Int32>,
    values: Buffer<Float>
  ) throws(DatasetError) {
    (self.name, self.count, self.targets, self.inputs, self.labels, self.values) = (
      name, count, targets, inputs, labels, values
    )
    inputShape = shape
    var hasher = SHA256Hasher()
    hasher.update(Array("samples in memory: \(count) of \(shape), \(targets)\n".utf8))
    inputs.withBytes { hasher.update($0) }
    labels.withBytes { hasher.update($0) }
    values.withBytes { hasher.update($0) }
    digest = hasher.finalize()
    try validate()
    guard inputs.count == count * shape.count else {
      throw DatasetError(name, .inputs(inputs.count, samples: count, shape: shape))
    }
  }

  public func copyInputs(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>, noise: Noise?) {
    copy(samples, of: inputs, into: destination)
  }

  public func copyInputs(in samples: Range<Int>, into destination: Buffer<Float>) {
    copy(samples, of: inputs, into: destination)
  }

  public func copyLabels(of samples: ArraySlice<UInt32>, into destination: Buffer<Int32>) {
    copy(samples, of: labels, into: destination)
  }

  public func copyLabels(in samples: Range<Int>, into destination: Buffer<Int32>) {
    copy(samples, of: labels, into: destination)
  }

  public func copyValues(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>) {
    copy(samples, of: values, into: destination)
  }

  public func copyValues(in samples: Range<Int>, into destination: Buffer<Float>) {
    copy(samples, of: values, into: destination)
  }

  private func copy<Element>(
    _ samples: ArraySlice<UInt32>, of source: Buffer<Element>, into destination: Buffer<Element>
  ) {
    let size = source.count / count
    precondition(
      destination.count == samples.count * size, "\(samples.count) samples of \(size) into \(destination.count)")
    var target = 0
    for sample in samples {
      destination[target..<target + size].copy(from: source[Int(sample) * size..<(Int(sample) + 1) * size])
      target += size
    }
  }

  private func copy<Element>(_ samples: Range<Int>, of source: Buffer<Element>, into destination: Buffer<Element>) {
    let size = source.count / count
    destination.copy(from: source[samples.lowerBound * size..<samples.upperBound * size])
  }
}
