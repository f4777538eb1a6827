import Kernels
import Testing

/// The convolution by Winograd's filtering, with and without its ReLU, against plain loops in Double.
@Suite struct WinogradConvolutionTests {
  /// Even and odd sides, one square and many, with zeros around the image and without; several blocks of rows of squares, the last
  /// one shorter; channels that make tiles of six rows, of six and four, and of four alone.
  private static let sizes = [
    ConvolutionSize(height: 2, width: 2, inputChannels: 32, kernel: 3, channels: 32, padding: 1),
    ConvolutionSize(height: 3, width: 3, inputChannels: 32, kernel: 3, channels: 64, padding: 0),
    ConvolutionSize(height: 5, width: 8, inputChannels: 64, kernel: 3, channels: 32, padding: 1),
    ConvolutionSize(height: 1, width: 9, inputChannels: 96, kernel: 3, channels: 32, padding: 1),
    ConvolutionSize(height: 7, width: 7, inputChannels: 64, kernel: 3, channels: 128, padding: 1),
    ConvolutionSize(height: 6, width: 13, inputChannels: 32, kernel: 3, channels: 32, padding: 0),
    ConvolutionSize(height: 30, width: 21, inputChannels: 32, kernel: 3, channels: 32, padding: 1),
  ]

  @Test(arguments: sizes, [false, true])
  func forwardAndGradients(_ size: ConvolutionSize, rectifying: Bool) throws {
    let shape = try #require(WinogradShape(size.shape))
    let scratch = WinogradScratch(shape)
    // Three samples first: what they leave in the buffers must not show in the one after them.
    for samples in [3, 1] {
      let x = noise(samples * shape.inputCount, seed: 1)
      let w = noise(shape.weightsCount, seed: 2)
      let b = noise(size.channels, seed: 3)
      let y = filled(samples * shape.outputCount)
      winogradConvolution(
        x, weights: w, bias: b, into: y, samples: samples, shape, rectifying: rectifying, scratch: scratch)
      let g = noise(y.count, seed: 4)
      let expected = ConvolutionReference(
        x, w, b, g, open: y.array.map { !rectifying || $0 > 0 }, samples: samples, size)
      // Sums of up to 1,900 products of numbers below 1, whose parts are some times as large.
      #expect(distance(y, expected.output.map { rectifying ? max(0, $0) : $0 }) < 2e-4)
      if rectifying { #expect(y.array.contains(0) && y.array.contains { $0 > 0.5 }) }

      func gradients(_ dw: Buffer<Float>, _ db: Buffer<Float>, _ dx: Buffer<Float>?, _ accumulation: Accumulation) {
        winogradConvolutionGradient(
          g, output: y, input: x, weights: w, into: dw, bias: db, inputGradient: dx, samples: samples, shape,
          rectifying: rectifying, scratch: scratch, accumulation)
      }
      let (dw, db, dx) = (filled(w.count), filled(b.count), filled(x.count))
      gradients(dw, db, dx, .replace)
      // Over up to 1,890 positions.
      #expect(distance(dw, expected.weightsGradient) < 5e-4)
      #expect(distance(db, expected.biasGradient) < 1e-4)
      #expect(distance(dx, expected.inputGradient) < 2e-4)

      let (held, heldBias) = (noise(w.count, seed: 5), noise(b.count, seed: 6))
      let (added, addedBias) = (Buffer(held.array), Buffer(heldBias.array))
      gradients(added, addedBias, nil, .add)
      #expect((0..<w.count).count { added[$0] != held[$0] + dw[$0] } == 0)
      #expect((0..<b.count).count { addedBias[$0] != heldBias[$0] + db[$0] } == 0)
    }
  }

  @Test func companyDoesNotChangeBits() throws {
    let size = Self.sizes[2]
    let shape = try #require(WinogradShape(size.shape))
    let scratch = WinogradScratch(shape)
    let (x, w, b) = (
      noise(3 * shape.inputCount, seed: 1), noise(shape.weightsCount, seed: 2), noise(size.channels, seed: 3)
    )
    func run(_ range: Range<Int>) -> Buffer<Float> {
      let y = filled(range.count * shape.outputCount)
      winogradConvolution(
        x[range.lowerBound * shape.inputCount..<range.upperBound * shape.inputCount], weights: w, bias: b, into: y,
        samples: range.count, shape, rectifying: true, scratch: scratch)
      return y
    }
    let together = run(0..<3)
    for i in 0..<3 {
      #expect(bits(run(i..<i + 1)) == bits(together[i * shape.outputCount..<(i + 1) * shape.outputCount]))
    }
  }

  /// As one of zeros, whose gradient nobody asks for.
  @Test func aBiasMayBeLeftOut() throws {
    let size = Self.sizes[2]
    let shape = try #require(WinogradShape(size.shape))
    let scratch = WinogradScratch(shape)
    let (x, w, zeros) = (noise(2 * shape.inputCount, seed: 1), noise(shape.weightsCount, seed: 2), filled(32, with: 0))
    let g = noise(2 * shape.outputCount, seed: 3)
    let results = [zeros, nil].map { bias in
      let (y, dw, dx) = (filled(g.count), filled(w.count), filled(x.count))
      winogradConvolution(x, weights: w, bias: bias, into: y, samples: 2, shape, rectifying: true, scratch: scratch)
      winogradConvolutionGradient(
        g, output: y, input: x, weights: w, into: dw, bias: bias.map { _ in filled(32) }, inputGradient: dx, samples: 2,
        shape, rectifying: true, scratch: scratch, .replace)
      return [bits(y), bits(dw), bits(dx)]
    }
    #expect(results[0] == results[1])
  }

  @Test func sizesItCannotDo() {
    func can(_ size: ConvolutionSize) -> Bool { WinogradShape(size.shape) != nil }
    #expect(can(ConvolutionSize(height: 8, width: 8, inputChannels: 32, kernel: 3, channels: 32, padding: 1)))
    // Another kernel; channels that leave half a pair of vectors; two rows of zeros.
    #expect(!can(ConvolutionSize(height: 8, width: 8, inputChannels: 32, kernel: 5, channels: 32, padding: 1)))
    #expect(!can(ConvolutionSize(height: 8, width: 8, inputChannels: 3, kernel: 3, channels: 32, padding: 1)))
    #expect(
      !can(ConvolutionSize(height: 8, width: 8, inputChannels: 32, kernel: 3, channels: 3 * laneCount, padding: 1)))
    #expect(!can(ConvolutionSize(height: 8, width: 8, inputChannels: 32, kernel: 3, channels: 32, padding: 2)))
    // Every second position alone.
    #expect(
      WinogradShape(
        ConvolutionShape(
          height: 9, width: 9, inputChannels: 32, kernelHeight: 3, kernelWidth: 3, outputChannels: 32, padding: 1,
          stride: 2)) == nil)
  }
}
