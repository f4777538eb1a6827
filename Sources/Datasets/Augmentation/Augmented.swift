import Digests
import Primitives
import Tensors

/// The images of another data set, each changed at random whenever it is trained on.
///
///     Augmented(of: training, try Augmentation("shift:2,rotate:10"))
///
/// A sample's changes follow from the run's seed, the step and the sample's place in the batch (``Noise``), so they are
/// the same on any number of ranks and after a resume. Without noise, in an evaluation, a sample is copied unaltered.
/// A step allocates nothing.
public struct Augmented: WrappedDataset {
  /// The data set that the samples are from, never itself augmented.
  public let base: any Dataset
  /// The changes.
  public let augmentation: Augmentation

  private let image: ImageExtents
  private let workspaces: Workspaces

  /// The samples of `base` with these changes. Throws ``DatasetError`` if its inputs are no images, or too small, or if samples are to be
  /// mixed.
  public init(of base: any Dataset, _ augmentation: Augmentation) throws(DatasetError) {
    if let mixup = augmentation.mixup {
      throw DatasetError(
        base.name,
        .augmentation(
          "\(Setting.augmentation) \(mixup) mixes targets too, which a data set cannot; give it to the recipe"))
    }
    let outer = base as? Augmented
    // Two stages would draw from the same words.
    let all = Augmentation((outer?.augmentation.transformations ?? []) + augmentation.transformations)
    if let fault = all.fault(for: base.inputShape) { throw DatasetError(base.name, .augmentation(fault)) }
    guard let image = ImageExtents(base.inputShape) else {
      preconditionFailure("inputs of shape \(base.inputShape) are no images")
    }
    self.base = outer?.base ?? base
    self.augmentation = all
    self.image = image
    workspaces = Workspaces(count: all.workspaceCount(for: image))
  }

  /// The SHA-256 of the base's digest and the changes' description.
  public var digest: SHA256Digest {
    SHA256Digest(of: Array("augmented \(base.digest.hex): \(augmentation)\n".utf8))
  }

  public func copyInputs(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>, noise: Noise?) {
    base.copyInputs(of: samples, into: destination, noise: noise)
    guard let noise else { return }
    workspaces.withOne { workspace in
      for place in 0..<samples.count {
        var words = noise.words(forSample: place, .augmentation)
        augmentation.apply(
          to: destination[place * image.count..<(place + 1) * image.count], image, workspace: workspace,
          drawing: &words)
      }
    }
  }
}
