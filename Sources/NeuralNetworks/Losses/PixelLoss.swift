import Tensors

/// A loss over all pixels of an image, each of which a network predicts as a distribution over its values. The image itself is the target
/// (``Examples/values``).
///
/// ``LossSums/loss`` is in nats: a sample's is the negative logarithm of the probability that the network gives to its whole image.
public protocol PixelLoss: Loss {
  /// The number of an image's pixels.
  var pixels: Int { get }

  /// Draws a pixel's value from the network's outputs for it: the value at `uniform` of the distribution.
  ///
  /// - Parameters:
  ///   - outputs: ``Loss/outputs`` / ``pixels`` numbers.
  ///   - temperature: what the logits are divided by. At 0 the most probable value is drawn.
  ///   - uniform: a random number in [0, 1).
  func draw(_ outputs: Buffer<Float>, temperature: Float, uniform: Float) -> Float
}

extension PixelLoss {
  public var targetValues: Int { pixels }
  public var unit: String { "nats an image" }
}
