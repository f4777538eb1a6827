import Kernels
import Testing

/// The largest distances from a ``ConvolutionReference``.
struct ConvolutionTolerance {
  var output: Double
  var weights: Double
  var input: Double
}

/// Expects the values and gradients of plain loops, and that adding a gradient is one addition an element.
func expectReference(
  _ convolution: some SampleConvolution, _ size: ConvolutionSize, rectifying: Bool, differentiatesInput: Bool = true,
  within tolerance: ConvolutionTolerance, _ location: SourceLocation = #_sourceLocation
) throws {
  // Three samples first: what they leave in the buffers must not show in the one after them.
  for samples in [3, 1] {
    let x = noise(samples * convolution.inputCount, seed: 1)
    let w = noise(convolution.weightsCount, seed: 2)
    let b = noise(size.channels, seed: 3)
    let y = filled(samples * convolution.outputCount)
    convolution.forward(x, weights: w, bias: b, into: y, samples: samples, rectifying: rectifying)
    let g = noise(y.count, seed: 4)
    let expected = ConvolutionReference(
      x, w, b, g, open: y.array.map { !rectifying || $0 > 0 }, samples: samples, size)
    #expect(
      distance(y, expected.output.map { rectifying ? max(0, $0) : $0 }) < tolerance.output, sourceLocation: location)
    if rectifying {
      #expect(y.array.contains(0) && y.array.contains { $0 > 0.5 }, sourceLocation: location)
    }

    func gradients(_ dw: Buffer<Float>, _ db: Buffer<Float>, _ dx: Buffer<Float>?, _ accumulation: Accumulation) {
      convolution.backward(
        g, output: y, input: x, weights: w, into: dw, bias: db, inputGradient: dx, samples: samples,
        rectifying: rectifying, accumulation)
    }
    let (dw, db) = (filled(w.count), filled(b.count))
    let dx = differentiatesInput ? filled(x.count) : nil
    gradients(dw, db, dx, .replace)
    #expect(distance(dw, expected.weightsGradient) < tolerance.weights, sourceLocation: location)
    #expect(distance(db, expected.biasGradient) < 1e-4, sourceLocation: location)
    if let dx { #expect(distance(dx, expected.inputGradient) < tolerance.input, sourceLocation: location) }

    let (held, heldBias) = (noise(w.count, seed: 5), noise(b.count, seed: 6))
    let (added, addedBias) = (Buffer(held.array), Buffer(heldBias.array))
    gradients(added, addedBias, nil, .add)
    #expect((0..<w.count).count { added[$0] != held[$0] + dw[$0] } == 0, sourceLocation: location)
    #expect((0..<b.count).count { addedBias[$0] != heldBias[$0] + db[$0] } == 0, sourceLocation: location)
  }
}

/// Expects that a sample's output has the same bits alone and among others.
func expectCompanyDoesNotChangeBits(
  _ convolution: some SampleConvolution, _ location: SourceLocation = #_sourceLocation
) throws {
  let (inputCount, outputCount) = (convolution.inputCount, convolution.outputCount)
  let (x, w, b) = (
    noise(3 * inputCount, seed: 1), noise(convolution.weightsCount, seed: 2),
    noise(convolution.shape.outputChannels, seed: 3)
  )
  func run(_ range: Range<Int>) -> Buffer<Float> {
    let y = filled(range.count * outputCount)
    convolution.forward(
      x[range.lowerBound * inputCount..<range.upperBound * inputCount], weights: w, bias: b, into: y,
      samples: range.count, rectifying: true)
    return y
  }
  let together = run(0..<3)
  for i in 0..<3 {
    #expect(
      bits(run(i..<i + 1)) == bits(together[i * outputCount..<(i + 1) * outputCount]), sourceLocation: location)
  }
}

/// Expects that no bias is as one of zeros, whose gradient nobody asks for.
func expectBiasMayBeLeftOut(
  _ convolution: some SampleConvolution, _ location: SourceLocation = #_sourceLocation
) throws {
  let channels = convolution.shape.outputChannels
  let (x, w, zeros) = (
    noise(2 * convolution.inputCount, seed: 1), noise(convolution.weightsCount, seed: 2), filled(channels, with: 0)
  )
  let g = noise(2 * convolution.outputCount, seed: 3)
  let results = [zeros, nil].map { bias in
    let (y, dw, dx) = (filled(g.count), filled(w.count), filled(x.count))
    convolution.forward(x, weights: w, bias: bias, into: y, samples: 2, rectifying: true)
    convolution.backward(
      g, output: y, input: x, weights: w, into: dw, bias: bias.map { _ in filled(channels) }, inputGradient: dx,
      samples: 2, rectifying: true, .replace)
    return [bits(y), bits(dw), bits(dx)]
  }
  #expect(results[0] == results[1], sourceLocation: location)
}
