import Kernels
import NeuralNetworks
import ReductionReference
import Tensors
import Testing

/// A pass over several microbatches gives the bits of the reduction's tree over a pass for each.
@Suite struct SeveralMicrobatchesTests {
  init() { useOneBLASThread() }

  /// Samples of a pass, and of a microbatch: nodes that are full, and what is left at a batch's end.
  static let cuts = [(4, 1), (16, 1), (9, 2), (32, 8), (29, 4), (30, 2), (128, 32), (100, 32), (64, 64)]

  /// Every layer that says that it takes several.
  static let nets: [(layers: [any LayerSpecification], input: Shape)] = [
    ([Dense(48), ReLU(), Dense(10)], [48]),
    ([Flatten(), Dense(64), Sigmoid(), Dropout(0.3), Block([Dense(80), ReLU()]), Dense(10)], [4, 4, 3]),
    ([MaxPool2D(2), Flatten(), Dense(32)], [8, 8, 4]),
    ([Dense(512), ReLU(), Dense(512)], [784]),
    ([Dense(33), ReLU(), Dense(7)], [45]),
    ([Dense(48), Tanh(), Reshape([6, 8]), Dense(32), GELU(), Dense(64), SiLU(), Dense(10), GELU()], [48]),
    (
      [
        Residual([Dense(48), Sigmoid()]), Residual([Dense(80), ReLU()], shortcut: [Dropout(0.3), Dense(80)]), Dense(10),
      ],
      [48]
    ),
  ]

  @Test(arguments: nets.indices)
  func gradientsAreThoseOfTheTree(_ index: Int) throws {
    let (layers, input) = Self.nets[index]
    #expect(PassPlan(Model(name: "net", input: input, layers: layers), microbatch: 8).microbatches > 1)
    for (samples, microbatch) in Self.cuts {
      let layer = try Sequential(layers, input: input, capacity: samples, needsInputGradient: true)
      let layout = ParameterLayout(layer.parameters)
      let x = noise(samples * input.count, seed: 1)
      let parameters = noise(layout.count, seed: 2)
      let g = noise(samples * layer.outputShape.count, seed: 3)
      let place = Noise(seed: 5, step: 2, firstPosition: 40)
      /// What a pass over these samples gives: outputs, input gradients, and the parameters' gradient.
      func pass(
        _ range: Range<Int>, into gradient: Buffer<Float>, _ accumulation: Accumulation, microbatch: Int
      ) -> (output: [UInt32], inputGradient: [UInt32]) {
        let pass = Pass(
          samples: range.count, noise: place.advanced(by: range.lowerBound), microbatch: microbatch)
        let own = x[range.lowerBound * input.count..<range.upperBound * input.count]
        let width = layer.outputShape.count
        let output = Buffer<Float>(count: range.count * width)
        let inputGradient = Buffer<Float>(count: own.count)
        layer.forward(own, parameters, into: output, pass)
        layer.backward(
          g[range.lowerBound * width..<range.upperBound * width], input: own, output: output, parameters: parameters,
          into: inputGradient, gradient: gradient, accumulation, pass)
        return (bits(output), bits(inputGradient))
      }
      var (outputs, inputGradients): ([UInt32], [UInt32]) = ([], [])
      let leaves = stride(from: 0, to: samples, by: microbatch).map { start in
        let gradient = Buffer<Float>(count: layout.count)
        let range = start..<min(start + microbatch, samples)
        let found = pass(range, into: gradient, .replace, microbatch: range.count)
        outputs += found.output
        inputGradients += found.inputGradient
        return gradient.array
      }
      let expected = LeafGradients(gradients: leaves).treeSum
      let held = noise(layout.count, seed: 6)
      for accumulation in [Accumulation.replace, .add] {
        let gradient = accumulation == .add ? Buffer(held.array) : Buffer<Float>(count: layout.count)
        let found = pass(0..<samples, into: gradient, accumulation, microbatch: microbatch)
        #expect(found.output == outputs, "\(samples) in \(microbatch)")
        #expect(found.inputGradient == inputGradients, "\(samples) in \(microbatch)")
        for range in layout.ranges {
          let differing = range.count {
            gradient[$0].bitPattern != (accumulation == .add ? held[$0] + expected[$0] : expected[$0]).bitPattern
          }
          #expect(differing == 0, "\(samples) in \(microbatch), \(accumulation)")
        }
      }
    }
  }

  @Test(arguments: 1...Pass.mostMicrobatches)
  func sumsAreThoseOfTheTree(leaves: Int) {
    let batch = LeafGradients(leaves: leaves, count: 20)
    let sums = MicrobatchSums(count: 20)
    for accumulation in [Accumulation.replace, .add] {
      let held = noise(20, seed: 1)
      let sum = Buffer(held.array)
      sums.sum(over: Pass(samples: leaves, microbatch: 1), into: sum, accumulation) { samples, part, accumulation in
        for k in 0..<20 {
          let own = batch.gradients[samples.lowerBound][k]
          part[k] = accumulation == .add ? part[k] + own : own
        }
      }
      let expected = batch.treeSum.enumerated().map { accumulation == .add ? held[$0] + $1 : $1 }
      #expect(bits(sum) == expected.map(\.bitPattern))
    }
  }

  /// Where a layer must be called microbatch by microbatch, all are.
  @Test func thePlanChooses() throws {
    func plan(_ name: String, _ microbatch: Int) throws -> PassPlan {
      PassPlan(try Model.named(name, input: [28, 28, 1], outputs: 10), microbatch: microbatch)
    }
    #expect(try plan("mlp", 32).microbatches == 4 && plan("mlp", 32).samples == 128)
    #expect(try plan("mlp", 4).microbatches == Pass.mostMicrobatches)
    #expect(try plan("mlp", 100).microbatches == 1 && plan("mlp", .max).samples == .max)
    #expect(
      Pass(samples: 3, microbatch: .max).microbatches == 0..<1
        && Pass(samples: 3, microbatch: .max).samples(of: 0) == 0..<3)
    #expect(try plan("mlp:784-33-10", 32).microbatches == 4)
    for name in ["article", "keras-convnet", "pytorch-convnet", "vgg", "rnn", "lstm", "gru", "vit", "resnet"] {
      #expect(try plan(name, 32).microbatches == 1)
    }
  }

  @Test func lossesAreThoseOfEachMicrobatch() throws {
    let model = try Model.named("mlp:784-48-10", input: [28, 28, 1], outputs: 10)
    let network = try Network(model, loss: SoftmaxCrossEntropy(classes: 10), capacity: 32)
    let parameters = Buffer<Float>(count: network.layout.count)
    network.initialise(parameters, seed: 0)
    let examples = Examples(inputs: noise(29 * 784, seed: 1), labels: Buffer((0..<29).map { Int32($0 % 10) }))
    let place = Noise(seed: 1, step: 1, firstPosition: 0)
    let gradient = Buffer<Float>(count: network.layout.count)
    network.differentiate(
      examples, parameters: parameters, into: gradient, .replace, noise: place, microbatch: 8)
    let together = network.losses
    let apart = (0..<4).map { index in
      network.differentiate(
        examples.part(index * 8..<min(index * 8 + 8, 29)), parameters: parameters, into: gradient, .replace,
        noise: place.advanced(by: index * 8))
    }
    #expect(together == apart)
  }
}
