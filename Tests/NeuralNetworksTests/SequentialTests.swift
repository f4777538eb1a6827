import Kernels
import NeuralNetworks
import Tensors
import Testing

@Suite struct SequentialTests {
  /// Every rank sets this, and more threads would change bits: OpenBLAS cuts the work by their number.
  init() { useOneBLASThread() }

  @Test func shapesFollowTheLayers() throws {
    let layers: [any LayerSpecification] = [
      Conv2D(filters: 4, kernel: 3, padding: .same), MaxPool2D(2), ReLU(), Conv2D(filters: 6, kernel: 2), Flatten(),
      Dense(3),
    ]
    let expected: [Shape] = [[7, 9, 4], [3, 4, 4], [3, 4, 4], [2, 3, 6], [36], [3]]
    for count in 1...layers.count {
      let network = try Sequential(Array(layers.prefix(count)), input: [7, 9, 2], capacity: 1)
      #expect(network.inputShape == [7, 9, 2])
      #expect(network.outputShape == expected[count - 1])
      #expect(try Block(Array(layers.prefix(count))).outputShape(for: [7, 9, 2]) == expected[count - 1])
    }
  }

  /// A planned network drops what only renames, whose memory is its input's; what follows must still see the new shape.
  @Test func renamingLayersAreDroppedButTheirShapeStays() throws {
    let renamed = try Sequential([ReLU(), Reshape([6, 4]), Sigmoid()], input: [2, 3, 4], capacity: 1)
    #expect(renamed.outputShape == [6, 4])
    #expect(try Sequential([ReLU(), Flatten(), Sigmoid()], input: [2, 3, 4], capacity: 1).outputShape == [24])
    #expect(throws: ModelError("a 3×3 convolution cannot take input of shape [36]")) {
      try Sequential([Flatten(), Conv2D(filters: 2, kernel: 3)], input: [6, 6, 1], capacity: 1)
    }
  }

  @Test func parametersAreNamedInOrder() throws {
    let network = try Sequential(
      [
        Block([Conv2D(filters: 2, kernel: 3), ReLU(), Conv2D(filters: 3, kernel: 1)]), Sigmoid(),
        Block([Dense(4)]), Dense(5), Block([ReLU()]), Dense(6),
      ],
      input: [5, 5, 1], capacity: 1)
    #expect(
      network.parameters.map(\.name) == [
        "block1.convolution1.weights", "block1.convolution1.bias", "block1.convolution2.weights",
        "block1.convolution2.bias", "block2.dense1.weights", "block2.dense1.bias", "dense1.weights", "dense1.bias",
        "dense2.weights", "dense2.bias",
      ])
    #expect(network.parameters.map(\.shape)[2...5] == [[1, 1, 2, 3], [3], [4, 27], [4]])
  }

  @Test func residualsNameTheirShortcut() throws {
    let network = try Sequential(
      [Residual([Dense(5), ReLU(), Dense(4)], shortcut: [Dense(4)]), Residual([Dense(4)])], input: [3], capacity: 1)
    #expect(
      network.parameters.map(\.name) == [
        "residual1.dense1.weights", "residual1.dense1.bias", "residual1.dense2.weights", "residual1.dense2.bias",
        "residual1.shortcut.dense1.weights", "residual1.shortcut.dense1.bias", "residual2.dense1.weights",
        "residual2.dense1.bias",
      ])
  }

  @Test func parametersStartAtCacheLines() {
    let layout = ParameterLayout(
      [[3, 3, 1, 2], [2], [16], [17]].map { ParameterSpecification(name: "p", shape: $0, initialiser: .zeros) })
    #expect(layout.ranges == [0..<18, 32..<34, 48..<64, 64..<81])
    #expect(layout.count == 96)
    #expect(layout.learntCount == 53)
  }

  @Test func rangesOfARoleAreAsFewAsCanBe() {
    let roles: [ParameterRole] = [.weight, .bias, .frozen, .frozen, .weight, .average]
    let layout = ParameterLayout(
      roles.map { ParameterSpecification(name: "p", shape: [18], initialiser: .zeros, role: $0) })
    #expect(layout.ranges(of: [.weight]) == [0..<32, 128..<160])
    #expect(layout.ranges(of: [.bias]) == [32..<64])
    #expect(layout.ranges(of: [.weight, .bias]) == [0..<64, 128..<160])
    #expect(layout.ranges(of: [.frozen]) == [64..<128])
    #expect(layout.ranges(of: [.weight, .bias, .frozen]) == [0..<160])
    #expect(layout.ranges(of: [.average]) == [160..<192])
    #expect(layout.learntCount == 5 * 18)
    #expect(layout.ranges(of: []).isEmpty)
  }

  @Test func biasesOfAllModelsAreBiases() throws {
    for name in ["article", "mlp", "keras-convnet", "pytorch-convnet", "vgg", "rnn", "lstm", "gru"] {
      let model = try Model.named(name, input: [28, 28, 1], outputs: 10)
      let network = try Network(model, loss: SoftmaxCrossEntropy(classes: 10, firstLabel: 0), capacity: 1)
      #expect(network.layout.parameters.contains { $0.role == .bias })
      for parameter in network.layout.parameters {
        #expect(parameter.role == (parameter.name.hasSuffix(".bias") ? .bias : .weight), "\(name): \(parameter.name)")
      }
    }
  }

  /// Of a transformer decay the weights of the products alone.
  @Test func theRolesOfATransformer() throws {
    let model = try Model.named("vit", input: [28, 28, 1], outputs: 10)
    let network = try Network(model, loss: SoftmaxCrossEntropy(classes: 10), capacity: 1)
    for parameter in network.layout.parameters {
      let isWeight = parameter.name.hasSuffix(".weights") || parameter.name.hasSuffix("Weights")
      #expect(parameter.role == (isWeight ? .weight : .bias), "\(parameter.name)")
    }
  }

  /// Of a ResNet too, and running averages are no optimizer's.
  @Test func theRolesOfAResNet() throws {
    let model = try Model.named("resnet", input: [28, 28, 1], outputs: 10)
    let network = try Network(model, loss: SoftmaxCrossEntropy(classes: 10), capacity: 1)
    let roles: [String: ParameterRole] = [
      "weights": .weight, "bias": .bias, "scale": .bias, "shift": .bias, "mean": .average, "variance": .average,
    ]
    for parameter in network.layout.parameters {
      #expect(roles[parameter.name.split(separator: ".").last.map(String.init) ?? ""] == parameter.role)
    }
  }

  /// The batch's size and the buffers' capacity decide nothing about a sample: the same bits in any company that has the same
  /// number of samples, whatever the layers were planned for.
  @Test(arguments: ["article", "rnn", "lstm", "gru", "vit", "resnet"])
  func capacityDoesNotChangeBits(_ name: String) throws {
    let model = try Model.named(name, input: [28, 28, 1], outputs: 10)
    let input = noise(5 * 784, seed: 1)
    var seen: Set<[UInt32]> = []
    for capacity in [5, 6, 64, 100] {
      let network = try Network(model, loss: SoftmaxCrossEntropy(classes: 10), capacity: capacity)
      let parameters = Buffer<Float>(count: network.layout.count)
      network.initialise(parameters, seed: 0)
      let gradient = Buffer<Float>(count: network.layout.count)
      // What another pass left behind, of other samples or of fewer, must not matter.
      if capacity > 5 {
        _ = network.evaluate(
          Examples(inputs: noise(3 * 784, seed: 3), labels: Buffer([0, 1, 2])), parameters: parameters)
      }
      for other in [noise(5 * 784, seed: 2), input] {
        _ = network.differentiate(
          Examples(inputs: other, labels: Buffer([0, 1, 2, 3, 4])), parameters: parameters, into: gradient, .replace,
          noise: Noise(seed: 1, step: 1, firstPosition: 0))
      }
      seen.insert(bits(gradient))
    }
    #expect(seen.count == 1)
  }
}
