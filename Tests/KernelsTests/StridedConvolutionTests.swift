import Kernels
import Testing

/// The convolution of any stride, with and without its ReLU, against plain loops in Double.
@Suite struct StridedConvolutionTests {
  typealias Size = ConvolutionSize

  /// One vector of output channels, and two; 1 to 17 positions in a row, so that every tile is met; edges with and without zeros; strides
  /// that leave rows of the image over, and one that skips some.
  private static let sizes =
    (1...17).map { width in
      Size(
        height: 3, width: width, inputChannels: laneCount, kernel: 1, channels: (1 + width % 2) * laneCount, padding: 0)
    } + [
      Size(height: 28, width: 28, inputChannels: 1, kernel: 8, channels: laneCount, padding: 3, stride: 2),
      Size(height: 9, width: 8, inputChannels: 1, kernel: 3, channels: 2 * laneCount, padding: 1, stride: 2),
      Size(height: 13, width: 13, inputChannels: laneCount, kernel: 4, channels: 2 * laneCount, padding: 0, stride: 2),
      Size(height: 7, width: 8, inputChannels: 2 * laneCount, kernel: 3, channels: laneCount, padding: 1, stride: 2),
      Size(height: 8, width: 7, inputChannels: laneCount, kernel: 1, channels: 3 * laneCount, padding: 0, stride: 3),
      Size(height: 6, width: 6, inputChannels: 3, kernel: 5, channels: laneCount, padding: 2),
      Size(height: 5, width: 3, inputChannels: 3 * laneCount, kernel: 2, channels: laneCount, padding: 1),
    ]

  @Test(arguments: sizes, [false, true])
  func forwardAndGradients(_ size: Size, rectifying: Bool) throws {
    let needsInputGradient = size.kernel * size.inputChannels % laneCount == 0
    let convolution = try #require(StridedConvolution(size.shape, needsInputGradient: needsInputGradient))
    // Sums of up to 600 products of numbers below 1, each in one chain.
    try expectReference(
      convolution, size, rectifying: rectifying, differentiatesInput: needsInputGradient,
      within: ConvolutionTolerance(output: 1e-4, weights: 1e-4, input: 1e-4))
  }

  @Test func companyDoesNotChangeBits() throws {
    let size = Size(height: 9, width: 8, inputChannels: 1, kernel: 3, channels: laneCount, padding: 1, stride: 2)
    try expectCompanyDoesNotChangeBits(try #require(StridedConvolution(size.shape, needsInputGradient: false)))
  }

  @Test func aBiasMayBeLeftOut() throws {
    let size = Size(
      height: 6, width: 6, inputChannels: laneCount, kernel: 3, channels: laneCount, padding: 1, stride: 2)
    try expectBiasMayBeLeftOut(try #require(StridedConvolution(size.shape, needsInputGradient: true)))
  }

  /// Samples apart with the weights laid out once are those of calls by themselves.
  @Test func weightsAreLaidOutOnce() throws {
    let size = Size(
      height: 6, width: 6, inputChannels: laneCount, kernel: 3, channels: laneCount, padding: 1, stride: 2)
    let convolution = try #require(StridedConvolution(size.shape, needsInputGradient: true))
    let (x, w) = (noise(convolution.inputCount, seed: 1), noise(convolution.weightsCount, seed: 2))
    let g = noise(convolution.outputCount, seed: 3)
    func gradients(isLaidOut: Bool) -> [[UInt32]] {
      let (dw, dx) = (filled(w.count), filled(x.count))
      convolution.backward(
        g, output: g, input: x, weights: w, into: dw, bias: nil, inputGradient: dx, samples: 1, rectifying: false,
        isLaidOut: isLaidOut, .replace)
      return [bits(dw), bits(dx)]
    }
    #expect(gradients(isLaidOut: false) == gradients(isLaidOut: true))
  }

  @Test func sizesItCannotDo() {
    func can(_ size: Size, needsInputGradient: Bool = false) -> Bool {
      StridedConvolution(size.shape, needsInputGradient: needsInputGradient) != nil
    }
    // Output channels that leave half a vector; patches' rows that do, of which the gradient is wanted.
    #expect(!can(Size(height: 8, width: 8, inputChannels: 1, kernel: 3, channels: laneCount / 2, padding: 0)))
    let odd = Size(height: 8, width: 8, inputChannels: 3, kernel: 3, channels: laneCount, padding: 0)
    #expect(can(odd) && !can(odd, needsInputGradient: true))
  }
}
