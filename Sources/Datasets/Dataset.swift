import Tensors

@_exported import struct Digests.SHA256Digest

/// Samples to train on or to evaluate on: inputs of one shape, each with a target.
///
/// Samples have the numbers `0..<count`. They are copied out by number, a microbatch at a time, and by several threads
/// at once if ranks are threads. A copy must depend on nothing but the sample's number and the noise, because the
/// weights' bits follow from it.
///
/// Your own data set implements ``copyInputs(of:into:noise:)`` and, depending on its ``targets``,
/// ``copyLabels(of:into:)`` or ``copyValues(of:into:)``. The other copies have defaults that call these. A training
/// step allocates nothing if they do not.
public protocol Dataset: Sendable {
  /// The data set's name in errors; by default that of its type.
  var name: String { get }

  /// The number of samples, from 1 to 2³² − 1.
  var count: Int { get }

  /// The shape of one sample's input, channels last: `[28, 28, 1]`.
  var inputShape: Shape { get }

  /// The kind of the targets.
  var targets: Targets { get }

  /// The digest of all inputs and targets: other data must have another. Checkpoints hold it, and ranks compare it.
  var digest: SHA256Digest { get }

  /// What the classes stand for, in the order of their labels; nil, the default, if the labels say it, or without
  /// classes.
  var classNames: [String]? { get }

  /// The lines that a checkpoint's recipe has of how the samples were made of others, as an evaluation has to make them again; by default
  /// none.
  var preparation: [(key: String, value: String)] { get }

  /// Copies the inputs of `samples` into `destination`, `[samples.count, inputShape]`.
  ///
  /// - Parameter noise: the key of all that is random in the copy (augmentation). The first of `samples` is its sample
  ///   0. nil in an evaluation, in which nothing is random.
  func copyInputs(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>, noise: Noise?)

  /// The data set with these changes of the images that it is trained on: by default of its inputs. One whose inputs are
  /// made of images changes those instead. Throws ``DatasetError`` if there are none, or they are too small.
  func augmented(by augmentation: Augmentation) throws -> any Dataset

  /// Copies the inputs of adjoining samples into `destination`, without noise.
  func copyInputs(in samples: Range<Int>, into destination: Buffer<Float>)

  /// Copies the labels of `samples` into `destination`, `[samples.count]`. Called if the targets are labels or classes.
  func copyLabels(of samples: ArraySlice<UInt32>, into destination: Buffer<Int32>)

  /// Copies the labels of adjoining samples into `destination`.
  func copyLabels(in samples: Range<Int>, into destination: Buffer<Int32>)

  /// Copies the targets of `samples` into `destination`, `[samples.count, values]`. Called if the targets are real
  /// numbers.
  func copyValues(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>)

  /// Copies the targets, real numbers, of adjoining samples into `destination`.
  func copyValues(in samples: Range<Int>, into destination: Buffer<Float>)
}

extension Dataset {
  public var name: String { "\(Self.self)" }

  public var classNames: [String]? { nil }

  public var preparation: [(key: String, value: String)] { [] }

  public func augmented(by augmentation: Augmentation) throws -> any Dataset { try Augmented(of: self, augmentation) }

  public func copyInputs(in samples: Range<Int>, into destination: Buffer<Float>) {
    copyInputs(of: numbers(samples), into: destination, noise: nil)
  }

  public func copyLabels(in samples: Range<Int>, into destination: Buffer<Int32>) {
    copyLabels(of: numbers(samples), into: destination)
  }

  public func copyValues(in samples: Range<Int>, into destination: Buffer<Float>) {
    copyValues(of: numbers(samples), into: destination)
  }

  public func copyLabels(of samples: ArraySlice<UInt32>, into destination: Buffer<Int32>) {
    preconditionFailure("\(name) does not copy labels, and its targets are \(targets)")
  }

  public func copyValues(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>) {
    preconditionFailure("\(name) does not copy real numbers, and its targets are \(targets)")
  }

  private func numbers(_ samples: Range<Int>) -> ArraySlice<UInt32> { ArraySlice(samples.lazy.map { UInt32($0) }) }

  /// Throws ``DatasetError`` if no network could be trained or evaluated on the data set.
  public func validate() throws(DatasetError) {
    guard count >= 1 else { throw DatasetError(name, .noSamples) }
    guard count <= UInt32.max else { throw DatasetError(name, .tooManySamples(count)) }
    guard inputShape.count >= 1 else { throw DatasetError(name, .emptyInputs(inputShape)) }
    if case .values(let values) = targets, values < 1 { throw DatasetError(name, .noValues) }
    if case .input(let values) = targets, values != inputShape.count {
      throw DatasetError(name, .inputs(values, samples: 1, shape: inputShape))
    }
  }

  /// Throws ``DatasetError`` with the first label that is not in `classes`, or if the targets are no labels.
  public func check(_ classes: Classes) throws(DatasetError) {
    guard let range = targets.labelRange else { throw DatasetError(name, .noClasses(targets)) }
    guard !classes.contains(range.lowerBound) || !classes.contains(range.upperBound) else { return }
    try forEachLabel { label, index throws(DatasetError) in
      guard classes.contains(Int(label)) else {
        throw DatasetError(name, .label(Int(label), index: index, classes: classes))
      }
    }
  }

  /// Calls `body` with the label of each sample and the sample's number. The targets must be labels or classes.
  public func forEachLabel<Failure: Error>(_ body: (Int32, Int) throws(Failure) -> Void) throws(Failure) {
    let labels = Buffer<Int32>(count: min(count, 4096))
    for start in stride(from: 0, to: count, by: labels.count) {
      let end = min(start + labels.count, count)
      copyLabels(in: start..<end, into: labels.prefix(end - start))
      for index in start..<end { try body(labels[index - start], index) }
    }
  }
}
