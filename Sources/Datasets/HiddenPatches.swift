import Digests
import Tensors

/// The images of another data set with half of their patches hidden, each its own target: for networks that predict what is hidden from
/// what is not.
///
/// An input is `[height, width, 2]`: each pixel as the base has it, and behind it 1 if it is hidden, else 0. So a network has the pixels that
/// it is to predict, and must not look at them (`MaskedPatches`). Half of the patches, rounded down, are hidden, every choice of them equally
/// likely: in training a new one every time that the sample is used, keyed by the noise; in an evaluation one, which follows from
/// ``seed`` and the sample's number.
public struct HiddenPatches: Dataset {
  /// The data set that the images are from.
  public let base: any Dataset
  /// The side of the squares that are hidden as one.
  public let side: Int
  /// The seed of an evaluation's choices.
  public let seed: UInt64

  public let inputShape: Shape

  /// The images of `base`, `[height, width, 1]`, in patches of `side` × `side`. Throws ``DatasetError`` if they are of another shape, or not of
  /// two such patches or more.
  public init(of base: any Dataset, side: Int = 4, seed: UInt64 = 0) throws(DatasetError) {
    let shape = base.inputShape
    guard side >= 1, shape.rank == 3, shape[2] == 1, shape[0] % side == 0, shape[1] % side == 0,
      shape.count / side / side >= 2
    else {
      throw DatasetError(base.name, .notInPatches(shape, side: side))
    }
    (self.base, self.side, self.seed) = (base, side, seed)
    inputShape = [shape[0], shape[1], 2]
  }

  public var name: String { "\(base.name) with hidden patches" }
  public var count: Int { base.count }
  public var targets: Targets { .input(count: inputShape.count) }

  /// The patches of an image, and those of them that are hidden.
  private var patches: Int { inputShape[0] / side * (inputShape[1] / side) }
  private var hidden: Int { patches / 2 }

  /// The SHA-256 of the base's digest, the patches' side and the seed.
  public var digest: SHA256Digest {
    SHA256Digest(
      of: Array("\(hidden) of \(patches) patches of \(side)×\(side) hidden of \(base.digest.hex), seed \(seed)\n".utf8))
  }

  public var preparation: [(key: String, value: String)] {
    base.preparation + [("hidden_patches", "\(side)"), ("hiding_seed", "\(seed)")]
  }

  public func copyInputs(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>, noise: Noise?) {
    // Not the base's shape, which it may make anew: nothing is allocated in a step.
    let pixels = inputShape[0] * inputShape[1]
    let all = samples.count * pixels
    precondition(destination.count == 2 * all, "\(samples.count) images of \(2 * pixels) into \(destination.count)")
    // They come into the second half and are spread from its start: no pixel is written over before it is moved.
    base.copyInputs(of: samples, into: destination[all..<2 * all], noise: noise)
    for pixel in 0..<all {
      destination[2 * pixel] = destination[all + pixel]
      destination[2 * pixel + 1] = 0
    }
    for (place, sample) in samples.enumerated() {
      // A training pass has steps from 1 on in the upper half of its stream, so that the two share no words.
      var words =
        noise?.words(forSample: place, .hiding) ?? Philox(seed: seed, purpose: .hiding, stream: UInt64(sample))
      hide(in: destination[2 * place * pixels..<2 * (place + 1) * pixels], drawing: &words)
    }
  }

  /// The images are changed, and then patches of them hidden: a change of what is hidden would hide parts of pixels.
  public func augmented(by augmentation: Augmentation) throws -> any Dataset {
    try HiddenPatches(of: base.augmented(by: augmentation), side: side, seed: seed)
  }

  /// Marks patches of `image`, [height, width, 2]: in their order, each with the share of those left that are still to be hidden as
  /// probability (selection sampling; Knuth, The Art of Computer Programming 2, § 3.4.2, algorithm S). It needs no list of them.
  private func hide(in image: Buffer<Float>, drawing words: inout Philox) {
    let columns = inputShape[1] / side
    var wanted = hidden
    for patch in 0..<patches where Int(words.next(below: UInt32(patches - patch))) < wanted {
      wanted -= 1
      let corner = patch / columns * side * inputShape[1] + patch % columns * side
      for y in 0..<side {
        for x in 0..<side { image[2 * (corner + y * inputShape[1] + x) + 1] = 1 }
      }
    }
  }
}
