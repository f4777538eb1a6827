import Primitives
import Tensors

/// Mirrors every other image on average: left becomes right. Not for digits and letters.
public struct HorizontalFlip: Transformation, Hashable {
  /// A flip with the probability ½.
  public init() {}

  public var description: String { "flip" }
  public var fault: String? { nil }

  public func apply(
    to source: Buffer<Float>, _ image: ImageExtents, into destination: Buffer<Float>, workspace: Buffer<Float>,
    drawing words: inout Philox
  ) {
    if words.next(below: 2) == 1 {
      mirror(source, image, into: destination)
    } else {
      destination.copy(from: source)
    }
  }
}
