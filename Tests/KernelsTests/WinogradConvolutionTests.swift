import Kernels
import Testing

/// The convolution by Winograd's filtering, with and without its ReLU, against plain loops in Double.
@Suite struct WinogradConvolutionTests {
  /// Even and odd sides, one square and many, with zeros around the image and without; several blocks of rows of squares, the last
  /// one shorter; channels that make tiles of six rows, of six and four, and of four alone; and an odd number of vectors of them, of which
  /// tiles of twelve and eight rows are made.
  private static let sizes = [
    ConvolutionSize(height: 2, width: 2, inputChannels: 32, kernel: 3, channels: 32, padding: 1),
    ConvolutionSize(height: 3, width: 3, inputChannels: 32, kernel: 3, channels: 64, padding: 0),
    ConvolutionSize(height: 5, width: 8, inputChannels: 64, kernel: 3, channels: 32, padding: 1),
    ConvolutionSize(height: 1, width: 9, inputChannels: 96, kernel: 3, channels: 32, padding: 1),
    ConvolutionSize(height: 7, width: 7, inputChannels: 64, kernel: 3, channels: 128, padding: 1),
    ConvolutionSize(height: 6, width: 13, inputChannels: 32, kernel: 3, channels: 32, padding: 0),
    ConvolutionSize(height: 30, width: 21, inputChannels: 32, kernel: 3, channels: 32, padding: 1),
    ConvolutionSize(height: 4, width: 4, inputChannels: laneCount, kernel: 3, channels: laneCount, padding: 1),
    ConvolutionSize(height: 28, width: 28, inputChannels: laneCount, kernel: 3, channels: laneCount, padding: 1),
    ConvolutionSize(height: 9, width: 6, inputChannels: 3 * laneCount, kernel: 3, channels: laneCount, padding: 0),
    ConvolutionSize(height: 7, width: 8, inputChannels: laneCount, kernel: 3, channels: 2 * laneCount, padding: 1),
    ConvolutionSize(height: 5, width: 6, inputChannels: 64, kernel: 3, channels: 3 * laneCount, padding: 1),
    ConvolutionSize(height: 40, width: 33, inputChannels: 5 * laneCount, kernel: 3, channels: laneCount, padding: 1),
  ]

  @Test(arguments: sizes, [false, true])
  func forwardAndGradients(_ size: ConvolutionSize, rectifying: Bool) throws {
    let convolution = try #require(WinogradConvolution(size.shape, needsInputGradient: true))
    // Sums of up to 1,900 products of numbers below 1, whose parts are some times as large; weights' gradients over up to 1,890 positions.
    try expectReference(
      convolution, size, rectifying: rectifying,
      within: ConvolutionTolerance(output: 2e-4, weights: 5e-4, input: 2e-4))
  }

  @Test func companyDoesNotChangeBits() throws {
    try expectCompanyDoesNotChangeBits(
      try #require(WinogradConvolution(Self.sizes[2].shape, needsInputGradient: true)))
  }

  @Test func aBiasMayBeLeftOut() throws {
    try expectBiasMayBeLeftOut(try #require(WinogradConvolution(Self.sizes[2].shape, needsInputGradient: true)))
  }

  @Test func sizesItCannotDo() {
    func can(_ size: ConvolutionSize) -> Bool {
      WinogradConvolution(size.shape, needsInputGradient: true) != nil
    }
    #expect(can(ConvolutionSize(height: 8, width: 8, inputChannels: 32, kernel: 3, channels: 32, padding: 1)))
    #expect(
      can(ConvolutionSize(height: 8, width: 8, inputChannels: 32, kernel: 3, channels: 3 * laneCount, padding: 1)))
    // Another kernel; channels that leave part of a vector; two rows of zeros.
    #expect(!can(ConvolutionSize(height: 8, width: 8, inputChannels: 32, kernel: 5, channels: 32, padding: 1)))
    #expect(!can(ConvolutionSize(height: 8, width: 8, inputChannels: 3, kernel: 3, channels: 32, padding: 1)))
    #expect(!can(ConvolutionSize(height: 8, width: 8, inputChannels: 32, kernel: 3, channels: 36, padding: 1)))
    #expect(!can(ConvolutionSize(height: 8, width: 8, inputChannels: 32, kernel: 3, channels: 32, padding: 2)))
    // Every second position alone.
    #expect(
      WinogradConvolution(
        ConvolutionShape(
          height: 9, width: 9, inputChannels: 32, kernelHeight: 3, kernelWidth: 3, outputChannels: 32, padding: 1,
          stride: 2), needsInputGradient: true) == nil)
  }
}
