import Kernels
import NeuralNetworks
import Tensors
import Testing

/// Images drawn position by position, against the whole network's forward pass.
@Suite struct PixelGeneratorTests {
  init() { useOneBLASThread() }

  /// Models and image sizes: below, at and beyond the largest dilation.
  static let models: [(name: String, input: Shape)] = [
    ("gpt", [4, 5, 1]), ("gpt", [8, 9, 1]), ("wavenet", [4, 5, 1]), ("wavenet", [23, 25, 1]), ("wavenet", [1, 1, 1]),
  ]

  private static func network(_ index: Int, capacity: Int) throws -> (Network, Buffer<Float>) {
    let (name, input) = models[index]
    let loss: any PixelLoss =
      name == "gpt" ? PixelSoftmaxCrossEntropy(pixels: input.count) : PixelSigmoidCrossEntropy(pixels: input.count)
    let network = try Network(
      Model.named(name, input: input, outputs: loss.outputs), loss: loss, capacity: capacity)
    let parameters = noise(network.layout.count, seed: 31)
    for k in 0..<parameters.count { parameters[k] *= 0.3 }
    return (network, parameters)
  }

  private static func outputs(_ network: Network, of images: Buffer<Float>, _ parameters: Buffer<Float>) -> Buffer<
    Float
  > {
    let samples = images.count / network.model.input.count
    return network.outputs(
      Examples(samples: samples, inputs: images, labels: Buffer(count: 0), values: images), parameters: parameters)
  }

  @Test(arguments: models.indices)
  func positionByPositionIsTheForwardPass(_ index: Int) throws {
    let samples = 3
    let (network, parameters) = try Self.network(index, capacity: samples)
    let pixels = network.model.input.count
    let width = network.loss.outputs / pixels
    let stepper = try #require(network.makeStepper(samples: samples))
    // From the first position again for other images: nothing of those before is left.
    for seed in [1, 2] as [UInt64] {
      let images = Buffer(noise(samples * pixels, seed: seed).array.map { $0 > 0 ? 1 : 0 as Float })
      let whole = Self.outputs(network, of: images, parameters).array
      let largest = whole.map(abs).max() ?? 0
      let (before, output) = (Buffer<Float>(count: samples), Buffer<Float>(count: samples * width))
      before.fill(.nan)
      var worst: Float = 0
      for pixel in 0..<pixels {
        stepper.step(before, ParameterBlock(parameters, network.layout), at: pixel, into: output)
        for sample in 0..<samples {
          for k in 0..<width {
            let error = abs(output[sample * width + k] - whole[(sample * pixels + pixel) * width + k])
            worst = error <= worst ? worst : error
          }
          before[sample] = images[sample * pixels + pixel]
        }
      }
      #expect(worst <= 1e-5 * largest, "\(network.model.name): \(worst) of \(largest)")
    }
  }

  /// Drawn by the whole forward pass for each pixel, with the same random numbers.
  @Test(arguments: [0, 2], [1, 0.6, 0] as [Float])
  func imagesAreThoseOfTheForwardPass(_ index: Int, _ temperature: Float) throws {
    let count = 3
    let (network, parameters) = try Self.network(index, capacity: count)
    let loss = try #require(network.loss as? any PixelLoss)
    let width = loss.outputs / loss.pixels
    let drawn = try PixelGenerator(network, parameters: parameters).draw(count, seed: 5, temperature: temperature)
    let images = Buffer<Float>(count: count * loss.pixels)
    var words = (0..<count).map { Philox(seed: 5, purpose: .generation, stream: UInt64($0)) }
    for pixel in 0..<loss.pixels {
      let outputs = Self.outputs(network, of: images, parameters)
      for image in 0..<count {
        let place = image * loss.pixels + pixel
        images[place] = loss.draw(
          outputs[place * width..<(place + 1) * width], temperature: temperature, uniform: words[image].nextUniform())
      }
    }
    #expect(drawn.array == images.array)
    #expect(Set(drawn.array) == [0, 1] || temperature == 0)
  }

  @Test(arguments: [0, 2])
  func anImageFollowsFromSeedAndNumber(_ index: Int) throws {
    let (network, parameters) = try Self.network(index, capacity: 1)
    let generator = try PixelGenerator(network, parameters: parameters)
    let many = generator.draw(21, seed: 9, temperature: 1).array
    #expect(generator.draw(21, seed: 9, temperature: 1).array == many)
    #expect(generator.draw(18, seed: 9, temperature: 1).array == Array(many.prefix(18 * 20)))
    #expect(generator.draw(21, seed: 10, temperature: 1).array != many)
    #expect(many[0..<20] != many[20..<40])
    #expect(generator.draw(0, seed: 9, temperature: 1).count == 0)
  }

  @Test func modelsThatPredictNoPixelsAreRefused() throws {
    let pixels = PixelSigmoidCrossEntropy(pixels: 16)
    // Not shifted: it would see its own pixel. Then one that sees all, one whose last layer does, and one of another task.
    let layers: [([any LayerSpecification], any Loss)] = [
      ([Flatten(), Reshape([16, 1]), TokenDense(4), GELU(), TokenDense(1), Reshape([16])], pixels),
      (
        [
          Flatten(), Shift(start: 2), Embedding(tokens: 3, width: 4), MultiHeadAttention(heads: 2), TokenDense(1),
          Reshape([16]),
        ], pixels
      ),
      ([Flatten(), Shift(start: 0), Dense(16)], pixels),
      ([Flatten(), Shift(start: 0), LayerNorm()], pixels),
      ([Flatten(), Shift(start: 0), Dense(10)], SoftmaxCrossEntropy(classes: 10)),
    ]
    for (layers, loss) in layers {
      let network = try Network(Model(name: "mine", input: [4, 4, 1], layers: layers), loss: loss, capacity: 1)
      #expect(
        throws: ModelError("model mine cannot draw images: it does not predict each pixel from those before it")
      ) { try PixelGenerator(network, parameters: Buffer(count: network.layout.count)) }
    }
  }
}
