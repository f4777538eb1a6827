import Digests
import Tensors

/// A data set around another: everything that it does not say itself is as ``base`` has it.
public protocol WrappedDataset: Dataset {
  /// The data set that the samples are from.
  var base: any Dataset { get }
}

extension WrappedDataset {
  public var name: String { base.name }
  public var count: Int { base.count }
  public var inputShape: Shape { base.inputShape }
  public var targets: Targets { base.targets }
  public var digest: SHA256Digest { base.digest }
  public var classNames: [String]? { base.classNames }
  public var preparation: [(key: String, value: String)] { base.preparation }

  public func copyInputs(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>, noise: Noise?) {
    base.copyInputs(of: samples, into: destination, noise: noise)
  }

  public func copyInputs(in samples: Range<Int>, into destination: Buffer<Float>) {
    base.copyInputs(in: samples, into: destination)
  }

  public func copyLabels(of samples: ArraySlice<UInt32>, into destination: Buffer<Int32>) {
    base.copyLabels(of: samples, into: destination)
  }

  public func copyLabels(in samples: Range<Int>, into destination: Buffer<Int32>) {
    base.copyLabels(in: samples, into: destination)
  }

  public func copyValues(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>) {
    base.copyValues(of: samples, into: destination)
  }

  public func copyValues(in samples: Range<Int>, into destination: Buffer<Float>) {
    base.copyValues(in: samples, into: destination)
  }
}
