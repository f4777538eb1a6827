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
    let convolution = try #require(DirectConvolution(size.shape, needsInputGradient: needsInputGradient))
    // Sums of up to 1,600 products of numbers below 1, each in one chain.
    try expectReference(
      convolution, size, rectifying: rectifying, differentiatesInput: needsInputGradient,
      within: ConvolutionTolerance(output: 1e-4, weights: 1e-4, input: 1e-4))
  }

  @Test func companyDoesNotChangeBits() throws {
    try expectCompanyDoesNotChangeBits(
      try #require(DirectConvolution(Self.sizes[1].shape, needsInputGradient: false)))
  }

  @Test func aBiasMayBeLeftOut() throws {
    let size = Size(height: 4, width: 6, inputChannels: 32, kernel: 3, channels: 64, padding: 1)
    try expectBiasMayBeLeftOut(try #require(DirectConvolution(size.shape, needsInputGradient: true)))
  }

  @Test func sizesItCannotDo() {
    func can(_ size: Size, needsInputGradient: Bool = false) -> Bool {
      DirectConvolution(size.shape, needsInputGradient: needsInputGradient) != nil
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
      DirectConvolution(
        ConvolutionShape(
          height: 9, width: 9, inputChannels: 1, kernelHeight: 3, kernelWidth: 3, outputChannels: 32, padding: 1,
          stride: 2), needsInputGradient: false) == nil)
    #expect(can(Size(height: 8, width: 8, inputChannels: 3, kernel: 3, channels: 2 * laneCount, padding: 0)))
  }
}
