import Kernels
import NeuralNetworks
import Tensors
import Testing

/// Names and layouts of other frameworks, of nets of one's own.
@Suite struct FrameworkTests {
  private static func tensors(
    of framework: Framework = .pytorch, input: Shape, outputs: Int,
    @LayerBuilder _ layers: () -> [any LayerSpecification]
  ) throws -> [FrameworkTensor] {
    try Network(Model("own", input: input, layers: layers), loss: SoftmaxCrossEntropy(classes: outputs), capacity: 1)
      .tensors(in: framework)
  }

  private static func lines(_ tensors: [FrameworkTensor]) -> [String] {
    tensors.map { "\($0.name) \($0.shape) \($0.parameter ?? "-")" }
  }

  @Test func layersAreCalledByTheirNumbers() throws {
    let tensors = try Self.tensors(input: [8, 8, 1], outputs: 4) {
      Conv2D(filters: 8, kernel: 3, padding: .same)
      BatchNorm()
      ReLU()
      Residual([Conv2D(filters: 6, kernel: 3, padding: .same)], shortcut: [Conv2D(filters: 6, kernel: 1, bias: false)])
      Block([Flatten(), Dense(5), Dense(4)])
    }
    #expect(
      Self.lines(tensors) == [
        "0.weight [8, 1, 3, 3] convolution1.weights", "0.bias [8] convolution1.bias",
        "1.weight [8] batchnorm1.scale", "1.bias [8] batchnorm1.shift", "1.running_mean [8] batchnorm1.mean",
        "1.running_var [8] batchnorm1.variance", "1.num_batches_tracked [] -",
        "3.body.0.weight [6, 8, 3, 3] residual1.convolution1.weights",
        "3.body.0.bias [6] residual1.convolution1.bias",
        "3.shortcut.0.weight [6, 8, 1, 1] residual1.shortcut.convolution1.weights",
        "4.1.weight [5, 384] block1.dense1.weights", "4.1.bias [5] block1.dense1.bias",
        "4.2.weight [4, 5] block1.dense2.weights", "4.2.bias [4] block1.dense2.bias",
      ])
  }

  @Test func layersOfTokensAreCalledAsTheirModules() throws {
    let tensors = try Self.tensors(input: [4, 4, 1], outputs: 2) {
      Patches(2)
      TokenDense(4)
      ClassToken()
      Positions()
      MultiHeadAttention(heads: 2)
      GRU(3)
      Dense(2)
    }
    #expect(
      Self.lines(tensors) == [
        "1.weight [4, 4] tokendense1.weights", "1.bias [4] tokendense1.bias", "2.token [1, 1, 4] classtoken1.token",
        "3.positions [1, 5, 4] positions1.positions", "4.in_proj_weight [12, 4] attention1.inputWeights",
        "4.in_proj_bias [12] attention1.inputBias", "4.out_proj.weight [4, 4] attention1.outputWeights",
        "4.out_proj.bias [4] attention1.outputBias", "5.weight_ih_l0 [9, 4] gru1.weights",
        "5.weight_hh_l0 [9, 3] gru1.recurrent", "5.bias_ih_l0 [9] gru1.bias", "5.bias_hh_l0 [9] gru1.bias",
        "6.weight [2, 3] dense1.weights", "6.bias [2] dense1.bias",
      ])
    #expect(tensors.contains { $0.content == .secondBias(of: "gru1.bias", addable: 6) })
  }

  @Test func kerasNumbersTheLayersOfAKind() throws {
    func net() -> [any LayerSpecification] {
      [Conv2D(filters: 2, kernel: 3), Conv2D(filters: 3, kernel: 3), Flatten(), Dropout(0.5), Dense(5), Dense(2)]
    }
    let tensors = try Self.tensors(of: .keras, input: [8, 8, 3], outputs: 2, net)
    #expect(
      Self.lines(tensors) == [
        "conv2d/kernel [3, 3, 3, 2] convolution1.weights", "conv2d/bias [2] convolution1.bias",
        "conv2d_1/kernel [3, 3, 2, 3] convolution2.weights", "conv2d_1/bias [3] convolution2.bias",
        "dense/kernel [48, 5] dense1.weights", "dense/bias [5] dense1.bias", "dense_1/kernel [5, 2] dense2.weights",
        "dense_1/bias [2] dense2.bias",
      ])
    let orders = tensors.map { tensor -> ElementOrder? in
      if case .parameter(_, let order) = tensor.content { order } else { nil }
    }
    #expect(orders[0] == ElementOrder(count: 54) && orders[4] == ElementOrder(extents: [48, 5], strides: [1, 48]))
  }

  /// Each element of PyTorch's flattened image, with its channels first, behind layers that keep the order.
  @Test func aFlattenedImageHasItsChannelsFirst() throws {
    let tensors = try Self.tensors(input: [2, 3, 4], outputs: 2) {
      Flatten()
      BatchNorm()
      LayerNorm()
      ReLU()
      Dropout(0.5)
      Dense(2)
      Dense(2)
    }
    // Where PyTorch has [c, h, w], here is [h, w, c].
    let places = (0..<4).flatMap { c in (0..<2).flatMap { h in (0..<3).map { w in (h * 3 + w) * 4 + c } } }
    let ours = Buffer((0..<24).map { Float($0) })
    let theirs = Buffer<Float>(count: 24)
    for tensor in tensors where tensor.shape == [24] {
      guard case .parameter(_, let order) = tensor.content else { continue }
      order.export(ours, into: theirs)
      #expect(theirs.array == places.map { Float($0) }, "\(tensor.name)")
      let back = Buffer<Float>(count: 24)
      order.take(theirs, into: back)
      #expect(back.array == ours.array)
    }
    let weights = try #require(tensors.first { $0.name == "5.weight" })
    guard case .parameter(_, let order) = weights.content else {
      Issue.record("no parameter")
      return
    }
    let rows = Buffer<Float>(count: 48)
    order.export(Buffer((0..<48).map { Float($0) }), into: rows)
    #expect(rows.array == (places + places.map { $0 + 24 }).map { Float($0) })
    let last = try #require(tensors.first { $0.name == "6.weight" })
    #expect(last.content == .parameter("dense2.weights", ElementOrder(extents: [2, 2], strides: [2, 1])))
  }

  @Test func whatHasNoFormThereIsSaid() throws {
    func fault(_ framework: Framework, input: Shape, _ layers: [any LayerSpecification]) -> String? {
      let error = #expect(throws: ModelError.self) {
        _ = try Self.tensors(of: framework, input: input, outputs: 2) { layers }
      }
      return error?.description
    }
    #expect(
      fault(.keras, input: [8], [LayerNorm(), Dense(2)])
        == "model own: a layer of kind layernorm has no names and layouts of Keras'")
    // x is in another order than what is added to it.
    #expect(
      fault(.pytorch, input: [2, 2, 3], [Flatten(), Residual([Dense(12)]), Dense(2)])
        == "model own: a layer of kind residual has no names and layouts of PyTorch's")
    #expect(fault(.pytorch, input: [2, 2, 3], [Flatten(), Reshape([12, 1]), TokenDense(1), Dense(2)]) != nil)
    #expect(
      fault(.keras, input: [8, 8, 1], [Conv2D(filters: 2, kernel: 3, padding: .same, stride: 2), Dense(2)]) != nil)
    #expect(
      fault(.pytorch, input: [4], [Secretive(), Dense(2)])
        == "model own: its parameter secretive1.weight has no name and layout of PyTorch's")
  }
}

/// A layer that learns and does not say so.
private struct Secretive: LayerSpecification {
  var kind: String { "secretive" }
  func outputShape(for input: Shape) throws -> Shape { input }
  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer { SecretiveLayer() }
}

private final class SecretiveLayer: Layer {
  let parameters = [ParameterSpecification(name: "weight", shape: [1], initialiser: .ones)]
  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {}
  func backward(_ windows: BackwardWindows, _ pass: Pass) {}
}
