import Kernels
import NeuralNetworks
import Tensors
import Testing

/// Layers whose buffers hold what earlier passes left there, of fewer samples, of more, and without a backward pass.
@Suite struct LeftoverTests {
  init() { useOneBLASThread() }

  static let layers: [(layer: any LayerSpecification, input: Shape)] = [
    (RNN(5), [3, 4]), (LSTM(5), [3, 4]), (GRU(5), [3, 4]), (GRU(5), [1, 4]), (LSTM(16), [2, 8]),
    (BatchNorm(), [2, 3, 4]), (LayerNorm(), [3, 4]), (MultiHeadAttention(heads: 2), [3, 4]),
    (MultiHeadAttention(heads: 1, causal: true), [70, 2]), (Embedding(tokens: 3, width: 4), [5]),
    (Shift(start: 2), [3, 4]), (GatedStack(skip: 5, dilations: [1, 2]), [4, 3]),
    (GatedStack(skip: 3, dilations: [2, 7]), [2, 3]), (Conv2D(filters: 3, kernel: 3), [5, 5, 2]),
    (Conv2D(filters: 3, kernel: 3, padding: .same, stride: 2, bias: false), [5, 5, 2]), (MaxPool2D(2), [4, 6, 2]),
    (Dense(3), [7]), (TokenDense(3), [4, 5]), (ClassToken(), [3, 4]), (Positions(), [3, 4]), (Token(1), [3, 4]),
    (Patches(2), [4, 6, 1]), (GlobalAveragePool2D(), [3, 2, 5]), (Dropout(0.5), [30]),
    (Residual([Dense(4), Sigmoid()], shortcut: [Dense(4)]), [6]), (Block([Dense(4), ReLU(), Dense(3)]), [6]),
  ]

  /// A pass gives the bits that it gives in a new layer: outputs, and gradients of parameters and inputs.
  @Test(arguments: layers.indices)
  func aPassDoesNotSeeThoseBefore(_ index: Int) throws {
    let (specification, shape) = Self.layers[index]
    let used = try PassOfALayer(specification, shape)
    for (samples, learns) in [(2, true), (7, true), (1, false), (4, true), (3, false)] {
      _ = used.bits(samples: samples, seed: UInt64(samples), learns: learns)
    }
    let fresh = try PassOfALayer(specification, shape).bits(samples: 5, seed: 9, learns: true)
    let found = used.bits(samples: 5, seed: 9, learns: true)
    for (name, (left, right)) in zip(["output", "gradient", "input's gradient"], zip(found, fresh)) {
      #expect(left == right, "\(specification): \(name)")
      // Every output and every input's gradient is written; between parameters there are gaps.
      if name != "gradient" { #expect(left.allSatisfy { !Float(bitPattern: $0).isNaN }, "\(specification): \(name)") }
    }
  }
}

/// A layer for up to seven samples, and passes through it.
private struct PassOfALayer {
  private let layer: any Layer
  private let shape: Shape
  private let outputCount: Int

  init(_ specification: any LayerSpecification, _ shape: Shape) throws {
    layer = try specification.makeLayer(input: shape, capacity: 7, needsInputGradient: true)
    (self.shape, outputCount) = (shape, try specification.outputShape(for: shape).count)
  }

  /// The bits of the output and, if it `learns`, of both gradients, after a pass on numbers that follow from the seed: whole ones from 0 to
  /// 2, which are tokens too.
  func bits(samples: Int, seed: UInt64, learns: Bool) -> [[UInt32]] {
    let layout = ParameterLayout(layer.parameters)
    let input = noise(samples * shape.count, seed: seed, stream: 1)
    for index in 0..<input.count { input[index] = ((input[index] + 1) * 1.49).rounded(.down) }
    let parameters = noise(layout.count, seed: 1, stream: 2)
    // Where an average is a variance.
    for index in 0..<parameters.count { parameters[index] += 1.5 }
    let pass = Pass(samples: samples, noise: learns ? Noise(seed: seed, step: 1, firstPosition: 0) : nil)
    let output = Buffer<Float>(count: samples * outputCount)
    let (gradient, inputGradient) = (Buffer<Float>(count: layout.count), Buffer<Float>(count: input.count))
    for buffer in [output, gradient, inputGradient] { buffer.fill(.nan) }
    layer.forward(input, parameters, into: output, pass)
    if learns {
      layer.backward(
        noise(output.count, seed: seed, stream: 3), input: input, output: output, parameters: parameters,
        into: inputGradient, gradient: gradient, .replace, pass)
    }
    return [output, gradient, inputGradient].map { $0.array.map(\.bitPattern) }
  }
}
