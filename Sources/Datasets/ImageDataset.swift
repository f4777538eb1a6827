import Digests
import Primitives
import Synchronization
import Tensors

/// Labelled grey images of one size, from a pair of IDX files: MNIST, Fashion-MNIST, EMNIST, QMNIST or your own.
///
/// Pixels stay bytes in memory and become floats when a microbatch is copied. Labels are integers of any IDX type,
/// `[count]`, or `[count, columns]` with the class in the first column, as in QMNIST.
public final class ImageDataset: Dataset {
  /// The two parts of a data set.
  public enum Part: String, Sendable, CaseIterable {
    /// The samples to train on.
    case train
    /// The samples to evaluate on.
    case test

    /// The beginning of the names of the part's files: first MNIST's, then EMNIST's and QMNIST's.
    var stems: [String] {
      switch self {
      case .train: ["train"]
      case .test: ["t10k", "test"]
      }
    }
  }

  /// The number of samples.
  public let count: Int
  /// The height of an image in pixels.
  public let rows: Int
  /// The width of an image in pixels.
  public let columns: Int
  /// The smallest and the largest label.
  public let labelRange: ClosedRange<Int>

  private let images: IDXFile
  private let labelsFile: IDXFile
  /// The label of each sample.
  private let labels: Buffer<Int32>
  private let knownDigest = Mutex<SHA256Digest?>(nil)

  /// Reads images `[count, rows, columns]` and as many labels.
  ///
  /// Throws ``IDXError`` if a file is missing or malformed, or if the counts differ.
  public init(imagesPath: String, labelsPath: String) throws(IDXError) {
    images = try IDXFile(path: imagesPath, ranks: 3...3)
    labelsFile = try IDXFile(path: labelsPath, ranks: 1...2, types: IDXFile.ElementType.integers)
    (count, rows, columns) = (images.extents[0], images.extents[1], images.extents[2])
    guard labelsFile.extents[0] == count else {
      throw IDXError(path: labelsPath, cause: .countsDiffer(images: count, labels: labelsFile.extents[0]))
    }
    do { labels = try memory(count) } catch { throw IDXError(path: labelsPath, cause: error) }
    let stride = labelsFile.extents.dropFirst().first ?? 1
    var (smallest, largest) = (Int32.max, Int32.min)
    for index in 0..<count {
      let label = labelsFile.integer(at: index * stride)
      labels[index] = label
      (smallest, largest) = (min(smallest, label), max(largest, label))
    }
    labelRange = Int(smallest)...Int(largest)
  }

  /// Reads one part of the data set in `directory`.
  ///
  /// A file has MNIST's name (`train-images-idx3-ubyte`), with a dot in the place of the hyphen before `idx`, or with
  /// another number and type (`train-labels-idx2-int`); each of these also with `.gz`. The first in this order that is
  /// a regular file and not empty is read. The test part may be called `test` instead of `t10k`. If no file has such a
  /// name, all names may begin with the set's: `emnist-letters-train-images-idx3-ubyte`.
  ///
  /// Throws ``IDXError`` as ``init(imagesPath:labelsPath:)`` does, and if the directory holds several data sets.
  public static func load(directory: String, part: Part) throws(IDXError) -> ImageDataset {
    let files = try DatasetFiles(directory)
    return try ImageDataset(
      imagesPath: files.path(part, "images", type: "idx3-ubyte"),
      labelsPath: files.path(part, "labels", type: "idx1-ubyte"))
  }

  /// The SHA-256 of the images' file followed by the labels', headers included, unpacked.
  ///
  /// Packed and plain files of the same content have the same digest. It is computed when first asked for (on 47 MB for
  /// MNIST's training images), and kept.
  public var digest: SHA256Digest {
    knownDigest.withLock { known in
      if let known { return known }
      var hasher = SHA256Hasher()
      for file in [images, labelsFile] { file.content.withBytes { hasher.update($0) } }
      let digest = hasher.finalize()
      known = digest
      return digest
    }
  }

  /// The pixels in an image: rows times columns.
  public var pixels: Int { rows * columns }

  /// The path of the labels' file, because an error of a set that was read is one of its labels.
  public var name: String { labelsFile.path }

  /// `[rows, columns, 1]`.
  public var inputShape: Shape { [rows, columns, 1] }

  /// Labels, from the smallest to the largest that occur.
  public var targets: Targets { .labels(labelRange) }

  /// The label of the sample at `index`, which must be in `0..<count`.
  public func label(at index: Int) -> Int { Int(labels[index]) }

  /// Copies the images of `samples` into `destination`, `[samples.count, rows, columns, 1]`, each pixel divided by 255
  /// and correctly rounded. Ignores `noise`. Allocates nothing.
  public func copyInputs(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>, noise: Noise?) {
    precondition(
      destination.count == samples.count * pixels, "\(samples.count) images of \(pixels) into \(destination.count)")
    let (start, pixels) = (images.elementsStart, self.pixels)
    images.content.withBytes { bytes in
      func image(_ sample: UInt32) -> Range<Int> {
        precondition(sample < count, "sample \(sample) of \(count)")
        let first = start + Int(sample) * pixels
        return first..<first + pixels
      }
      var target = 0
      for place in samples.indices {
        // No processor foresees which image is next, so that dividing its pixels would wait for memory.
        if place + 2 < samples.endIndex { prefetch(bytes.extracting(image(samples[place + 2]))) }
        normalise(bytes.extracting(image(samples[place])), into: destination[target..<target + pixels])
        target += pixels
      }
    }
  }

  /// Copies the images of adjoining samples as ``copyInputs(of:into:noise:)`` does.
  public func copyInputs(in samples: Range<Int>, into destination: Buffer<Float>) {
    precondition(samples.lowerBound >= 0 && samples.upperBound <= count, "samples \(samples) of \(count)")
    let start = images.elementsStart
    images.content[start + samples.lowerBound * pixels..<start + samples.upperBound * pixels].withBytes {
      normalise($0, into: destination)
    }
  }

  /// Copies the labels of `samples` into `destination`, `[samples.count]`. Allocates nothing.
  public func copyLabels(of samples: ArraySlice<UInt32>, into destination: Buffer<Int32>) {
    precondition(destination.count == samples.count, "\(samples.count) labels into \(destination.count)")
    for (target, sample) in samples.enumerated() { destination[target] = labels[Int(sample)] }
  }

  /// Copies the labels of adjoining samples into `destination`.
  public func copyLabels(in samples: Range<Int>, into destination: Buffer<Int32>) {
    destination.copy(from: labels[samples])
  }
}
