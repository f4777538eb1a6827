import Digests
import FoundationEssentials
import Kernels
import Synchronization
import Tensors

/// Labelled grey images of one size, from a pair of IDX files: MNIST, Fashion-MNIST or one's own.
///
/// The pixels stay bytes in the mapped file; a microbatch's are turned into numbers when they are needed.
public final class ImageDataset: Sendable {
  /// The two halves of a data set.
  public enum Part: String, Sendable, CaseIterable {
    /// The samples to learn from.
    case train
    /// The samples to judge by.
    case test

    /// What the names of the part's files begin with.
    var prefix: String {
      switch self {
      case .train: "train"
      case .test: "t10k"
      }
    }
  }

  /// The number of samples.
  public let count: Int
  /// The height of an image in pixels.
  public let rows: Int
  /// The width of an image in pixels.
  public let columns: Int
  /// The number of classes: every label is below it.
  public let classes: Int

  private let images: IDXFile
  private let labels: IDXFile
  private let knownDigest = Mutex<SHA256Digest?>(nil)

  /// Reads images `[count, rows, columns]` and as many labels, each below `classes`.
  ///
  /// Throws ``IDXError`` for files that are missing, malformed, or do not belong together.
  public init(imagesPath: String, labelsPath: String, classes: Int = 10) throws(IDXError) {
    images = try IDXFile(path: imagesPath, rank: 3)
    labels = try IDXFile(path: labelsPath, rank: 1)
    (count, rows, columns) = (images.extents[0], images.extents[1], images.extents[2])
    self.classes = classes
    guard labels.extents[0] == count else {
      throw IDXError(path: labelsPath, cause: .countsDiffer(images: count, labels: labels.extents[0]))
    }
    let bytes = labels.content.span
    for index in 0..<count {
      let label = bytes[labels.elementsStart + index]
      guard label < classes else {
        throw IDXError(path: labelsPath, cause: .label(label, index: index, classes: classes))
      }
    }
  }

  /// Reads one part of the data set in `directory`.
  ///
  /// A file may be named as MNIST's are (`train-images-idx3-ubyte`), with a dot for the hyphen before `idx`, and
  /// either with `.gz` behind; the first that exists, in this order, is read. Throws as the other initialiser does.
  public static func load(directory: String, part: Part) throws(IDXError) -> ImageDataset {
    try ImageDataset(
      imagesPath: path(in: directory, stem: "\(part.prefix)-images", type: "idx3-ubyte"),
      labelsPath: path(in: directory, stem: "\(part.prefix)-labels", type: "idx1-ubyte"))
  }

  private static func path(in directory: String, stem: String, type: String) throws(IDXError) -> String {
    let paths = ["\(stem)-\(type)", "\(stem).\(type)", "\(stem)-\(type).gz", "\(stem).\(type).gz"]
      .map { directory.hasSuffix("/") ? directory + $0 : "\(directory)/\($0)" }
    guard let path = paths.first(where: FileManager.default.fileExists(atPath:)) else {
      throw IDXError(path: paths[0], cause: .missing)
    }
    return path
  }

  /// The directory of the data set that a user calls `name`.
  ///
  /// `mnist` and `fashion-mnist` are where `launch/fetch` puts them: `lockstep/<name>` in `$XDG_CACHE_HOME`, or in
  /// `~/.cache` where that is unset, empty or (as the XDG specification has it) relative. Any other name is a path; so
  /// is `./mnist`. Throws ``IDXError`` if there is no such directory.
  public static func directory(
    named name: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(IDXError) -> String {
    let isFetched = fetchedNames.contains(name)
    let cache = isFetched ? cache(environment) : ""
    guard let cache else { throw IDXError(path: name, cause: .noCacheDirectory) }
    let path = isFetched ? "\(cache)/lockstep/\(name)" : name
    var isDirectory = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory else {
      throw IDXError(path: path, cause: .noDirectory(name: isFetched ? name : nil))
    }
    return path
  }

  /// The data sets that `launch/fetch` knows.
  public static let fetchedNames = ["mnist", "fashion-mnist"]

  /// Nil where neither variable holds an absolute path.
  private static func cache(_ environment: [String: String]) -> String? {
    if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") { return cache }
    guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
    return "\(home)/.cache"
  }

  /// The SHA-256 of the images' file followed by the labels', headers included, unpacked.
  ///
  /// Packed and plain files of the same content have the same digest. Computed when first asked for (all 47 MB of
  /// MNIST's training images pass through libcrypto then), and kept.
  public var digest: SHA256Digest {
    knownDigest.withLock { known in
      if let known { return known }
      var hasher = SHA256Hasher()
      hasher.update(images.content)
      hasher.update(labels.content)
      let digest = hasher.finalize()
      known = digest
      return digest
    }
  }

  /// Pixels in an image: rows times columns.
  public var pixels: Int { rows * columns }

  /// The label of the sample at `index`, which must be in `0..<count`.
  public func label(at index: Int) -> UInt8 {
    precondition(index >= 0 && index < count, "sample \(index) of \(count)")
    return labels.content.span[labels.elementsStart + index]
  }

  /// Copies the images of `samples` into `destination`, `[samples.count, rows, columns]`, each pixel divided by 255
  /// and correctly rounded. Allocates nothing.
  public func copyImages(at samples: ArraySlice<UInt32>, into destination: Buffer<Float>) {
    precondition(
      destination.count == samples.count * pixels, "\(samples.count) images of \(pixels) into \(destination.count)")
    let (bytes, pixels) = (images.content.bytes, self.pixels)
    var target = 0
    for sample in samples {
      precondition(sample < count, "sample \(sample) of \(count)")
      let start = images.elementsStart + Int(sample) * pixels
      normalise(bytes.extracting(start..<start + pixels), into: destination[target..<target + pixels])
      target += pixels
    }
  }

  /// Copies the images of the adjoining samples `range`, as ``copyImages(at:into:)`` does.
  public func copyImages(in range: Range<Int>, into destination: Buffer<Float>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "samples \(range) of \(count)")
    let start = images.elementsStart
    normalise(
      images.content.bytes.extracting(start + range.lowerBound * pixels..<start + range.upperBound * pixels),
      into: destination)
  }

  /// Copies the labels of `samples` into `destination`, `[samples.count]`. Allocates nothing.
  public func copyLabels(at samples: ArraySlice<UInt32>, into destination: Buffer<UInt8>) {
    precondition(destination.count == samples.count, "\(samples.count) labels into \(destination.count)")
    let bytes = labels.content.span
    var target = 0
    for sample in samples {
      precondition(sample < count, "sample \(sample) of \(count)")
      destination[target] = bytes[labels.elementsStart + Int(sample)]
      target += 1
    }
  }

  /// Copies the labels of the adjoining samples `range`, as ``copyLabels(at:into:)`` does.
  public func copyLabels(in range: Range<Int>, into destination: Buffer<UInt8>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "samples \(range) of \(count)")
    let start = labels.elementsStart
    destination.copy(fromBytes: labels.content.bytes.extracting(start + range.lowerBound..<start + range.upperBound))
  }
}
