import Tensors

@_exported import struct Primitives.ImageExtents

/// A random change of an image, as ``Augmentation`` applies it to the samples that a network is trained on.
///
/// It draws from the words that it is given alone, so that a sample changes in the same way on any rank.
public protocol Transformation: Sendable, CustomStringConvertible {
  /// Its name and constants, as `--augment` takes them: `rotate:10.0`. Its bits follow from this text.
  var description: String { get }

  /// The fault of its constants; nil if they have none.
  var fault: String? { get }

  /// The fault of its constants for images of these extents; nil if they fit.
  func fault(for image: ImageExtents) -> String?

  /// The floats that ``apply(to:_:into:workspace:drawing:)`` works in.
  func workspaceCount(for image: ImageExtents) -> Int

  /// Writes the changed `source` to `destination`: two buffers `[rows, columns, channels]`, not the same memory.
  /// Allocates nothing.
  ///
  /// - Parameters:
  ///   - workspace: ``Transformation/workspaceCount(for:)`` floats of any value.
  ///   - words: the sample's random words, of which it takes the next.
  func apply(
    to source: Buffer<Float>, _ image: ImageExtents, into destination: Buffer<Float>, workspace: Buffer<Float>,
    drawing words: inout Philox)
}

extension Transformation {
  public func fault(for image: ImageExtents) -> String? { nil }
  public func workspaceCount(for image: ImageExtents) -> Int { 0 }
}

extension Philox {
  /// The next number in `-limit...limit`, evenly.
  mutating func next(within limit: Float) -> Float { (2 * nextUniform() - 1) * limit }

  /// The next integer in `-limit...limit`, all equally likely.
  mutating func next(within limit: Int) -> Int { Int(next(below: UInt32(2 * limit + 1))) - limit }
}
