import NeuralNetworks
import Tensors
import Testing

/// Passes its input on, and notes the first random word that it has.
private struct Listening: LayerSpecification {
  final class Heard: @unchecked Sendable { var words: [UInt32] = [] }

  let heard: Heard
  var kind: String { "listening" }
  func outputShape(for input: Shape) throws -> Shape { input }
  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    Listener(heard)
  }

  private final class Listener: Layer {
    let heard: Heard
    var parameters: [ParameterSpecification] { [] }
    init(_ heard: Heard) { self.heard = heard }

    func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
      for index in 0..<input.count { output[index] = input[index] }
      var words = pass.words(forSample: 0, Philox.Purpose(rawValue: 128))
      if let word = words?.next() { heard.words.append(word) }
    }

    func backward(_ windows: BackwardWindows, _ pass: Pass) {}
  }
}

@Suite struct PassTests {
  private func words(of layers: [any LayerSpecification], _ heard: Listening.Heard) throws -> [UInt32] {
    let body = try Sequential(layers, input: [1], capacity: 1)
    let output = Buffer<Float>(count: 1)
    body.forward(
      Buffer([1]), Buffer(count: 0), into: output, Pass(samples: 1, noise: Noise(seed: 9, step: 2, firstPosition: 0)))
    return heard.words
  }

  @Test func noTwoLayersHaveTheSameNoiseHoweverTheyAreNested() throws {
    let heard = Listening.Heard()
    let layer = Listening(heard: heard)
    // Eight levels, and more than 64 layers in one.
    var nested: [any LayerSpecification] = [layer]
    for _ in 0..<8 { nested = [layer, Block(nested), layer, Block([layer, layer])] }
    nested += (0..<100).map { _ in layer }
    let words = try words(of: nested, heard)
    #expect(words.count == 133)
    #expect(Set(words).count == words.count)
  }

  @Test func layersOfAFlatNetAreNumberedFrom1() throws {
    let heard = Listening.Heard()
    let layer = Listening(heard: heard)
    let words = try words(of: [layer, ReLU(), layer], heard)
    let expected = [1, 3].map { (place: UInt32) in
      var words = Noise(seed: 9, step: 2, firstPosition: 0).words(
        forSample: 0, Philox.Purpose(rawValue: 128 | place << 8))
      return words.next()
    }
    #expect(words == expected, "weights of today follow from these")
  }

  @Test func aModelIsWrittenDown() throws {
    let isDeep = true
    let model = Model("mine", input: [28, 28, 1]) {
      Flatten()
      for size in [30, 20] {
        Dense(size)
        ReLU()
      }
      if isDeep { Dense(15) } else { ReLU() }
      if !isDeep { Dropout(0.5) }
      [ReLU(), Dense(10)] as [any LayerSpecification]
    }
    #expect(model.layers.map(\.kind).joined(separator: " ") == "flatten dense relu dense relu dense relu dense")
    #expect(!model.isNamed && model.layersText.hasPrefix("Flatten(), Dense("))
    #expect(try Model.named("article", input: [28, 28, 1], outputs: 10).isNamed)
  }
}
