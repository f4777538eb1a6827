import Kernels
import Testing

/// The direct convolution, with and without its ReLU, against plain loops in Double.
@Suite struct DirectConvolutionTests {
  typealias Size = ConvolutionSize

  /// Rows of a patch of 3, 9, 1, 2, 5, 32, 96 and 160 floats, so that blocks of four, of three and single floats are met; outputs of
  /// 4 to 11 positions in a row, whose last four overlap or not; edges with and without zeros.
  private static let sizes = [
    Size(height: 6, width: 6, inputChannels: 1, kernel: 3, channels: 32, padding: 0),
    Size(height: 5, width: 8, inputChannels: 3, kernel: 3, channels: 64, padding: 1),
    Size(height: 3, width: 7, inputChannels: 1, kernel: 1, channels: 32, padding: 0),
    Size(height: 4, width: 10, inputChannels: 1, kernel: 2, channels: 32, padding: 1),
    Size(height: 7, width: 9, inputChannels: 1, kernel: 5, channels: 32, padding: 2),
    Size(height: 4, width: 5, inputChannels: 32, kernel: 1, channels: 64, padding: 0),
    Size(height: 6, width: 13, inputChannels: 32, kernel: 3, channels: 32, padding: 0),
    Size(height: 5, width: 4, inputChannels: 64, kernel: 3, channels: 32, padding: 1),
    Size(height: 8, width: 8, inputChannels: 32, kernel: 5, channels: 64, padding: 2),
    Size(height: 3, width: 14, inputChannels: 32, kernel: 3, channels: 32, padding: 1),
    Size(height: 4, width: 6, inputChannels: 1, kernel: 3, channels: 32, padding: 1),
  ]

  @Test(arguments: sizes, [false, true])
  func forwardAndGradients(_ size: Size, rectifying: Bool) throws {
    // One channel or three have no input gradient of this kernel's.
    let needsInputGradient = size.inputChannels % (2 * laneCount) == 0
    let shape = try #require(DirectConvolutionShape(size.shape, needsInputGradient: needsInputGradient))
    let scratch = DirectConvolutionScratch(shape)
    for samples in [1, 3] {
      let x = noise(samples * shape.inputCount, seed: 1)
      let w = noise(shape.weightsCount, seed: 2)
      let b = noise(size.channels, seed: 3)
      let y = filled(samples * shape.outputCount)
      directConvolution(
        x, weights: w, bias: b, into: y, samples: samples, shape, rectifying: rectifying, scratch: scratch)
      let g = noise(y.count, seed: 4)
      let expected = ConvolutionReference(
        x, w, b, g, open: y.array.map { !rectifying || $0 > 0 }, samples: samples, size)
      // Sums of up to 1,600 products of numbers below 1, each in one chain.
      #expect(distance(y, expected.output.map { rectifying ? max(0, $0) : $0 }) < 1e-4)
      if rectifying { #expect(y.array.contains(0) && y.array.contains { $0 > 0.5 }) }

      func gradients(_ dw: Buffer<Float>, _ db: Buffer<Float>, _ dx: Buffer<Float>?, _ accumulation: Accumulation) {
        directConvolutionGradient(
          g, output: y, input: x, weights: w, into: dw, bias: db, inputGradient: dx, samples: samples, shape,
          rectifying: rectifying, scratch: scratch, accumulation)
      }
      let (dw, db) = (filled(w.count), filled(b.count))
      let dx = needsInputGradient ? filled(x.count) : nil
      gradients(dw, db, dx, .replace)
      #expect(distance(dw, expected.weightsGradient) < 1e-4)
      #expect(distance(db, expected.biasGradient) < 1e-4)
      if let dx { #expect(distance(dx, expected.inputGradient) < 1e-4) }

      let (held, heldBias) = (noise(w.count, seed: 5), noise(b.count, seed: 6))
      let (added, addedBias) = (Buffer(held.array), Buffer(heldBias.array))
      gradients(added, addedBias, nil, .add)
      #expect((0..<w.count).count { added[$0] != held[$0] + dw[$0] } == 0)
      #expect((0..<b.count).count { addedBias[$0] != heldBias[$0] + db[$0] } == 0)
    }
  }

  @Test func companyDoesNotChangeBits() throws {
    let size = Self.sizes[1]
    let shape = try #require(DirectConvolutionShape(size.shape, needsInputGradient: false))
    let scratch = DirectConvolutionScratch(shape)
    let (x, w, b) = (
      noise(3 * shape.inputCount, seed: 1), noise(shape.weightsCount, seed: 2), noise(size.channels, seed: 3)
    )
    func run(_ range: Range<Int>) -> Buffer<Float> {
      let y = filled(range.count * shape.outputCount)
      directConvolution(
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
    let size = Size(height: 4, width: 6, inputChannels: 32, kernel: 3, channels: 64, padding: 1)
    let shape = try #require(DirectConvolutionShape(size.shape, needsInputGradient: true))
    let scratch = DirectConvolutionScratch(shape)
    let (x, w, zeros) = (noise(2 * shape.inputCount, seed: 1), noise(shape.weightsCount, seed: 2), filled(64, with: 0))
    let g = noise(2 * shape.outputCount, seed: 3)
    let results = [zeros, nil].map { bias in
      let (y, dw, dx) = (filled(g.count), filled(w.count), filled(x.count))
      directConvolution(
        x, weights: w, bias: bias, into: y, samples: 2, shape, rectifying: true, scratch: scratch)
      directConvolutionGradient(
        g, output: y, input: x, weights: w, into: dw, bias: bias.map { _ in filled(64) }, inputGradient: dx, samples: 2,
        shape, rectifying: true, scratch: scratch, .replace)
      return [bits(y), bits(dw), bits(dx)]
    }
    #expect(results[0] == results[1])
  }

  @Test func sizesItCannotDo() {
    func can(_ size: Size, needsInputGradient: Bool = false) -> Bool {
      DirectConvolutionShape(size.shape, needsInputGradient: needsInputGradient) != nil
    }
    // Three positions in a row; output channels that leave half a pair; input channels of which the gradient is wanted.
    #expect(!can(Size(height: 8, width: 5, inputChannels: 1, kernel: 3, channels: 32, padding: 0)))
    #expect(!can(Size(height: 8, width: 8, inputChannels: 1, kernel: 3, channels: 3 * laneCount, padding: 0)))
    #expect(
      !can(Size(height: 8, width: 8, inputChannels: 3, kernel: 3, channels: 32, padding: 0), needsInputGradient: true))
    // More zeros around the image than the kernel is wide.
    #expect(!can(Size(height: 8, width: 8, inputChannels: 1, kernel: 3, channels: 32, padding: 3)))
    // Every second position alone.
    #expect(
      DirectConvolutionShape(
        ConvolutionShape(
          height: 9, width: 9, inputChannels: 1, kernelHeight: 3, kernelWidth: 3, outputChannels: 32, padding: 1,
          stride: 2), needsInputGradient: false) == nil)
    #expect(can(Size(height: 8, width: 8, inputChannels: 3, kernel: 3, channels: 2 * laneCount, padding: 0)))
  }
}
