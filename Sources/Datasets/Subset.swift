import Digests
import Tensors

/// Some samples of another data set, in any order. A sample may occur more than once.
public struct Subset: Dataset {
  /// The data set that the samples are from, never itself a subset.
  public private(set) var base: any Dataset
  /// Each sample's number in ``base``.
  public let indices: [UInt32]

  public let count: Int
  public let inputShape: Shape
  /// The targets of ``base``, with all its classes, whether or not they occur here; the classes that were asked for in
  /// ``init(of:labels:)``.
  public private(set) var targets: Targets

  /// The samples of `base` with the numbers `indices`. Throws ``DatasetError`` if there are none, or if `base` lacks
  /// one.
  public init(of base: any Dataset, indices: some Sequence<Int>) throws(DatasetError) {
    var numbers: [UInt32] = []
    for index in indices {
      guard index >= 0, index < base.count, let number = UInt32(exactly: index) else {
        throw DatasetError(base.name, .sample(index, count: base.count))
      }
      numbers.append(number)
    }
    if let outer = base as? Subset {
      self.base = outer.base
      self.indices = numbers.map { outer.indices[Int($0)] }
    } else {
      self.base = base
      self.indices = numbers
    }
    (count, inputShape, targets) = (numbers.count, base.inputShape, base.targets)
    try validate()
  }

  /// The samples of `base` whose label is one of `labels`, in its order. The classes are those of `labels` alone.
  ///
  /// Throws ``DatasetError`` if no sample has such a label, or if the targets are real numbers.
  public init(of base: any Dataset, labels: ClosedRange<Int>) throws(DatasetError) {
    guard base.targets.labelRange != nil else { throw DatasetError(base.name, .noClasses(base.targets)) }
    guard let classes = Classes(checking: labels.count, firstLabel: labels.lowerBound) else {
      throw DatasetError(base.name, .tooManyClasses(smallest: labels.lowerBound, largest: labels.upperBound))
    }
    var chosen: [Int] = []
    base.forEachLabel { label, index in if labels.contains(Int(label)) { chosen.append(index) } }
    guard !chosen.isEmpty else { throw DatasetError(base.name, .labels(labels)) }
    try self.init(of: base, indices: chosen)
    targets = .classes(classes)
  }

  public var name: String { "a subset of \(base.name)" }

  public var classNames: [String]? { base.classNames }

  /// The SHA-256 of the base's digest and the samples' numbers in it.
  public var digest: SHA256Digest {
    var hasher = SHA256Hasher()
    hasher.update(Array("subset of \(base.digest.hex): \(count)\n".utf8))
    Buffer(indices).withBytes { hasher.update($0) }
    return hasher.finalize()
  }

  public var preparation: [(key: String, value: String)] { base.preparation }

  public func augmented(by augmentation: Augmentation) throws -> any Dataset {
    var changed = self
    changed.base = try base.augmented(by: augmentation)
    return changed
  }

  public func copyInputs(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>, noise: Noise?) {
    let size = inputShape.count
    each(samples, sizes: size, in: destination) { sample, place in
      base.copyInputs(
        of: sample, into: destination[place * size..<(place + 1) * size], noise: noise?.advanced(by: place))
    }
  }

  public func copyInputs(in samples: Range<Int>, into destination: Buffer<Float>) {
    base.copyInputs(of: indices[samples], into: destination, noise: nil)
  }

  public func copyLabels(of samples: ArraySlice<UInt32>, into destination: Buffer<Int32>) {
    each(samples, sizes: 1, in: destination) { sample, place in
      base.copyLabels(of: sample, into: destination[place..<place + 1])
    }
  }

  public func copyLabels(in samples: Range<Int>, into destination: Buffer<Int32>) {
    base.copyLabels(of: indices[samples], into: destination)
  }

  public func copyValues(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>) {
    let size = targets.valueCount ?? 0
    each(samples, sizes: size, in: destination) { sample, place in
      base.copyValues(of: sample, into: destination[place * size..<(place + 1) * size])
    }
  }

  public func copyValues(in samples: Range<Int>, into destination: Buffer<Float>) {
    base.copyValues(of: indices[samples], into: destination)
  }

  /// Calls `copy` for each sample, with a slice of ``indices`` that holds its number in the base, and its place in
  /// `samples`.
  ///
  /// One sample at a time, because a list of a microbatch's numbers would have to be allocated.
  private func each<Element>(
    _ samples: ArraySlice<UInt32>, sizes size: Int, in destination: Buffer<Element>,
    _ copy: (ArraySlice<UInt32>, Int) -> Void
  ) {
    precondition(
      destination.count == samples.count * size, "\(samples.count) samples of \(size) into \(destination.count)")
    for (place, sample) in samples.enumerated() { copy(indices[Int(sample)...Int(sample)], place) }
  }
}
