import NeuralNetworks
import Tensors
import Testing

/// Expects what the fixed tree's bits rest on: `.add` onto what a gradient buffer holds gives, bit for bit, what `.replace`
/// elsewhere and an elementwise addition give, because a layer completes its sum before it adds it.
///
/// For batches from 1 to 150 samples, planned for exactly so many and for more, as a short last microbatch is.
///
/// - Parameter fromImages: whether the layers come first in their network, so that nobody asks for an input gradient.
func checkAddition(
  _ layers: [any LayerSpecification], input shape: Shape, fromImages: Bool = false, alsoSamples more: [Int] = [],
  _ location: SourceLocation = #_sourceLocation
) throws {
  for samples in [1, 2, 3, 5, 7, 9, 13, 17, 21, 29, 32, 33, 37, 40, 64, 65, 97, 150] + more {
    for capacity in [samples, samples + 31] {
      let layer = try Sequential(layers, input: shape, capacity: capacity, needsInputGradient: !fromImages)
      let layout = ParameterLayout(layer.parameters)
      let pass = Pass(samples: samples, noise: Noise(seed: 1, step: 1, firstPosition: 0))
      let seed = UInt64(samples)
      let input = noise(samples * shape.count, seed: seed, stream: 1)
      let parameters = noise(layout.count, seed: seed, stream: 2)
      let output = Buffer<Float>(count: samples * layer.outputShape.count)
      let outputGradient = noise(output.count, seed: seed, stream: 3)
      let inputGradient = fromImages ? nil : Buffer<Float>(count: input.count)
      func backward(into gradient: Buffer<Float>, _ accumulation: Accumulation) {
        layer.backward(
          outputGradient, input: input, output: output, parameters: parameters, into: inputGradient,
          gradient: gradient, accumulation, pass)
      }

      layer.forward(input, parameters, into: output, pass)
      // NaN wherever a value must be replaced and never read.
      let alone = Buffer<Float>(count: layout.count)
      alone.fill(.nan)
      backward(into: alone, .replace)
      let held = noise(layout.count, seed: seed, stream: 4)
      let added = Buffer(held.array)
      backward(into: added, .add)
      for (parameter, range) in zip(layout.parameters, layout.ranges) {
        let expected = range.map { (held[$0] + alone[$0]).bitPattern }
        let differing = zip(bits(added[range]), expected).count { $0 != $1 }
        #expect(
          differing == 0, "\(parameter.name), \(samples) samples of at most \(capacity)", sourceLocation: location)
      }
      // The gaps between parameters belong to nobody.
      let gaps = Set(0..<layout.count).subtracting(layout.ranges.joined())
      #expect(gaps.allSatisfy { added[$0] == held[$0] && alone[$0].isNaN }, sourceLocation: location)
    }
  }
}
