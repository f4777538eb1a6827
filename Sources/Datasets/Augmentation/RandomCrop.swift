import Primitives
import Tensors

/// Pads the image with zeros on each side, and cuts one of its own size out of that at a random place (He et al. 2015,
/// § 4.2, with 4 pixels). All places are equally likely.
public struct RandomCrop: Transformation, Hashable {
  /// The pixels on each side.
  public var padding: Int

  /// A crop out of an image with this padding.
  public init(padding: Int) { self.padding = padding }

  public var description: String { "crop:\(padding)" }
  public var fault: String? {
    padding >= 1 && padding <= 32_767 ? nil : "crop:\(padding) is not from 1 to 32767 pixels"
  }

  public func fault(for image: ImageExtents) -> String? {
    padding < min(image.rows, image.columns)
      ? nil : "crop:\(padding) may cut all of an image of \(image.rows) by \(image.columns) pixels away"
  }

  public func apply(
    to source: Buffer<Float>, _ image: ImageExtents, into destination: Buffer<Float>, workspace: Buffer<Float>,
    drawing words: inout Philox
  ) {
    let (down, right) = (words.next(within: padding), words.next(within: padding))
    translate(source, image, down: down, right: right, into: destination)
  }
}
