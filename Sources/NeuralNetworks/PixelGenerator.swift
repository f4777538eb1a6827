import Tensors

/// Draws images, pixel by pixel, from a network that predicts each pixel from those before it.
///
///     let generator = try PixelGenerator(network, parameters: weights)
///     let images = generator.draw(16, seed: 0, temperature: 1)
///
/// An image follows from the weights, the seed, the temperature and its number, not from how many are drawn.
public final class PixelGenerator {
  /// The images that are drawn at once: a fixed number, because the bits of a product depend on its rows.
  private static let group = 16

  private let stepper: any Stepper
  private let parameters: ParameterBlock
  private let loss: any PixelLoss
  /// The pixel before the one that is drawn, of each image, and the network's outputs for that one.
  private let before: Buffer<Float>
  private let outputs: Buffer<Float>

  /// A generator of `network` with these weights. Throws ``ModelError`` if the network does not predict each pixel from those before it.
  public init(_ network: Network, parameters: Buffer<Float>) throws {
    guard let loss = network.loss as? any PixelLoss, let stepper = network.makeStepper(samples: Self.group) else {
      throw ModelError(
        "model \(network.model.name) cannot draw images: it does not predict each pixel from those before it")
    }
    self.stepper = stepper
    self.loss = loss
    self.parameters = ParameterBlock(parameters, network.layout)
    before = Buffer(count: Self.group)
    outputs = Buffer(count: Self.group * loss.outputs / loss.pixels)
  }

  /// Draws the images numbered from 0 to below `count`, [count, pixels].
  ///
  /// - Parameter temperature: 1 for the network's own distribution, less for images that are more probable; 0 for the most probable pixels.
  public func draw(_ count: Int, seed: UInt64, temperature: Float) -> Buffer<Float> {
    precondition(count >= 0 && temperature >= 0, "\(count) images at temperature \(temperature)")
    let images = Buffer<Float>(count: count * loss.pixels)
    let width = outputs.count / Self.group
    for first in stride(from: 0, to: count, by: Self.group) {
      var words = (first..<first + Self.group).map { Philox(seed: seed, purpose: .generation, stream: UInt64($0)) }
      before.fill(0)
      for pixel in 0..<loss.pixels {
        stepper.step(before, parameters, at: pixel, into: outputs)
        for index in 0..<Self.group {
          before[index] = loss.draw(
            outputs[index * width..<(index + 1) * width], temperature: temperature,
            uniform: words[index].nextUniform())
          if first + index < count { images[(first + index) * loss.pixels + pixel] = before[index] }
        }
      }
    }
    return images
  }
}
