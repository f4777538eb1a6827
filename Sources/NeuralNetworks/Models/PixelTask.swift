import Tensors

/// The task of a model that predicts the pixels of its own input, and the images that it takes. It follows from the model's name, or stands in
/// the model's file: `"task": "pixels:softmax", "pooling": 2`. The tasks of other models follow from the data.
public struct PixelTask: Hashable, Sendable {
  /// The pixels that are predicted, and what they are compared by: the name of a loss.
  public enum Kind: String, CaseIterable, Sendable {
    /// Each pixel, black or white, from those before it, with two outputs: ``PixelSoftmaxCrossEntropy``.
    case softmax = "pixels:softmax"
    /// Each pixel, black or white, from those before it, with one output: ``PixelSigmoidCrossEntropy``.
    case sigmoid = "pixels:sigmoid"
    /// The pixels of hidden patches from the others: ``HiddenPatchError``.
    case hidden = "pixels:hidden"

    /// Whether the pixels are made black and white.
    public var isBlackAndWhite: Bool { self != .hidden }
  }

  /// The pixels that are predicted, and their loss.
  public let kind: Kind
  /// The side of the squares of an image whose means are the pixels; 1 where pixels are hidden.
  public let pooling: Int

  /// A task on images that are pooled by `pooling`, 1 or more.
  public init(_ kind: Kind, pooling: Int = 1) {
    precondition(pooling >= 1 && (pooling == 1 || kind.isBlackAndWhite), "\(kind) on pixels of \(pooling)×\(pooling)")
    (self.kind, self.pooling) = (kind, pooling)
  }

  /// The models that predict pixels, by name.
  public static let named: [(model: String, task: PixelTask)] = [
    ("gpt", PixelTask(.softmax, pooling: 2)), ("wavenet", PixelTask(.sigmoid)), ("bert", PixelTask(.hidden)),
  ]

  /// The task of the model called `name`; nil if the data say what it learns.
  public init?(modelNamed name: String) {
    guard let task = Self.named.first(where: { $0.model == name })?.task else { return nil }
    self = task
  }

  /// The shape of the model's input for images of shape `image`, [height, width, channels].
  public func inputShape(for image: Shape) -> Shape {
    [image[0] / pooling, image[1] / pooling, kind == .hidden ? 2 : image[2]]
  }
}
