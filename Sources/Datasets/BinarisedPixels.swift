import Digests
import Tensors

/// The images of another data set in black and white, each its own target: for networks that predict pixels from one another.
///
/// A pixel is the mean of a square of the base's, turned into 0 or 1 (``Binarisation``).
public final class BinarisedPixels: Dataset {
  /// The data set that the images are from.
  public let base: any Dataset
  /// The side of the squares whose means are the pixels.
  public let side: Int
  /// How a mean becomes 0 or 1.
  public let binarisation: Binarisation

  public let inputShape: Shape
  /// For one of the base's images.
  private let workspaces: Workspaces

  /// The images of `base`, `[rows, columns, channels]`, in squares of `side` × `side`. Throws ``DatasetError`` if they cannot be cut into
  /// such squares.
  public init(of base: any Dataset, poolingBy side: Int = 1, _ binarisation: Binarisation) throws(DatasetError) {
    let shape = base.inputShape
    guard side >= 1, shape.rank == 3, shape.count >= 1, shape[0] % side == 0, shape[1] % side == 0 else {
      throw DatasetError(base.name, .notInSquares(shape, side: side))
    }
    (self.base, self.side, self.binarisation) = (base, side, binarisation)
    inputShape = [shape[0] / side, shape[1] / side, shape[2]]
    workspaces = Workspaces(count: shape.count)
  }

  public var name: String { "the pixels of \(base.name)" }
  public var count: Int { base.count }
  public var targets: Targets { .input(count: inputShape.count) }

  /// The SHA-256 of the base's digest, the squares' side and the binarisation.
  public var digest: SHA256Digest {
    SHA256Digest(of: Array("pixels of \(base.digest.hex): means of \(side)×\(side), \(binarisation)\n".utf8))
  }

  public var preparation: [(key: String, value: String)] {
    base.preparation + [("pixels", "\(inputShape)"), ("pooling", "\(side)"), ("binarisation", "\(binarisation)")]
  }

  public func copyInputs(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>, noise: Noise?) {
    let size = inputShape.count
    precondition(
      destination.count == samples.count * size, "\(samples.count) images of \(size) into \(destination.count)")
    workspaces.withOne { image in
      for (index, sample) in samples.enumerated() {
        let own = noise?.advanced(by: index)
        let place = samples.startIndex + index
        base.copyInputs(of: samples[place...place], into: image, noise: own)
        let pixels = destination[index * size..<(index + 1) * size]
        pool(image, into: pixels)
        binarise(pixels, sample: sample, noise: own)
      }
    }
  }

  /// The pixels of changed images: a change of black and white would give greys.
  public func augmented(by augmentation: Augmentation) throws -> any Dataset {
    try BinarisedPixels(of: base.augmented(by: augmentation), poolingBy: side, binarisation)
  }

  /// The mean of each square, its pixels added row by row as PyTorch's `avg_pool2d` adds them.
  private func pool(_ image: Buffer<Float>, into pixels: Buffer<Float>) {
    guard side > 1 else { return pixels.copy(from: image) }
    let (columns, channels) = (inputShape[1], inputShape[2])
    let line = columns * side * channels
    for row in 0..<inputShape[0] {
      for column in 0..<columns {
        let corner = row * side * line + column * side * channels
        for channel in 0..<channels {
          var sum: Float = 0
          for y in 0..<side {
            for x in 0..<side { sum += image[corner + y * line + x * channels + channel] }
          }
          pixels[(row * columns + column) * channels + channel] = sum / Float(side * side)
        }
      }
    }
  }

  private func binarise(_ pixels: Buffer<Float>, sample: UInt32, noise: Noise?) {
    switch binarisation {
    case .threshold(let value):
      for index in 0..<pixels.count { pixels[index] = pixels[index] > value ? 1 : 0 }
    case .bernoulli(let seed):
      // A training pass has steps from 1 on in the upper half of its stream, so that the two share no words.
      var words =
        noise?.words(forSample: 0, .binarisation)
        ?? Philox(seed: seed, purpose: .binarisation, stream: UInt64(sample))
      for index in 0..<pixels.count { pixels[index] = words.nextUniform() < pixels[index] ? 1 : 0 }
    }
  }
}
