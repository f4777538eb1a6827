import Kernels
import Testing

@Suite struct ConvolutionTests {
  private static let shapes = [
    ConvolutionShape(
      height: 5, width: 4, inputChannels: 1, kernelHeight: 3, kernelWidth: 3, outputChannels: 1, padding: 0),
    ConvolutionShape(
      height: 5, width: 4, inputChannels: 3, kernelHeight: 3, kernelWidth: 3, outputChannels: 1, padding: 1),
    ConvolutionShape(
      height: 2, width: 1, inputChannels: 2, kernelHeight: 5, kernelWidth: 5, outputChannels: 1, padding: 2),
    ConvolutionShape(
      height: 6, width: 7, inputChannels: 2, kernelHeight: 2, kernelWidth: 4, outputChannels: 1, padding: 0),
    ConvolutionShape(
      height: 4, width: 5, inputChannels: 2, kernelHeight: 1, kernelWidth: 3, outputChannels: 1, padding: 1),
    ConvolutionShape(
      height: 3, width: 3, inputChannels: 4, kernelHeight: 1, kernelWidth: 1, outputChannels: 1, padding: 0),
    // Padding wider than the kernel: whole patches of zeros.
    ConvolutionShape(
      height: 3, width: 2, inputChannels: 2, kernelHeight: 2, kernelWidth: 2, outputChannels: 1, padding: 3),
    // Strides: with a rest that no kernel reaches, past the edge's middle, and beyond the kernel's own side.
    ConvolutionShape(
      height: 6, width: 7, inputChannels: 2, kernelHeight: 3, kernelWidth: 3, outputChannels: 1, padding: 1, stride: 2),
    ConvolutionShape(
      height: 8, width: 6, inputChannels: 3, kernelHeight: 3, kernelWidth: 2, outputChannels: 1, padding: 0, stride: 3),
    ConvolutionShape(
      height: 5, width: 4, inputChannels: 2, kernelHeight: 1, kernelWidth: 1, outputChannels: 1, padding: 0, stride: 2),
  ]

  @Test(arguments: shapes)
  func gather(_ shape: ConvolutionShape) {
    let image = noise(shape.height * shape.width * shape.inputChannels, seed: 1)
    let patches = filled(shape.positions * shape.patch)
    gatherPatches(image, into: patches, shape)
    var expected: [Float] = []
    for y in 0..<shape.outputHeight {
      for x in 0..<shape.outputWidth {
        for ky in 0..<shape.kernelHeight {
          for kx in 0..<shape.kernelWidth {
            let (row, column) = (y * shape.stride + ky - shape.padding, x * shape.stride + kx - shape.padding)
            for c in 0..<shape.inputChannels {
              let isInside = (0..<shape.height).contains(row) && (0..<shape.width).contains(column)
              expected.append(isInside ? image[(row * shape.width + column) * shape.inputChannels + c] : 0)
            }
          }
        }
      }
    }
    #expect(patches.array == expected)
  }

  @Test func outputsOfAStride() {
    for (extent, kernel, padding, stride, output) in [
      (28, 3, 1, 2, 14), (14, 3, 1, 2, 7), (7, 3, 1, 2, 4), (28, 1, 0, 2, 14), (7, 1, 0, 2, 4), (8, 3, 0, 3, 2),
      (3, 3, 0, 5, 1),
    ] {
      let shape = ConvolutionShape(
        height: extent, width: extent, inputChannels: 1, kernelHeight: kernel, kernelWidth: kernel, outputChannels: 1,
        padding: padding, stride: stride)
      #expect(shape.outputHeight == output && shape.outputWidth == output)
    }
  }

  /// ⟨gather x, y⟩ = ⟨x, scatter y⟩ for all x and y is what being the transpose means.
  @Test(arguments: shapes)
  func scatterIsTheTranspose(_ shape: ConvolutionShape) {
    let patches = filled(shape.positions * shape.patch)
    let image = filled(shape.height * shape.width * shape.inputChannels)
    for seed in 0..<4 as Range<UInt64> {
      let x = noise(image.count, seed: 10 + seed)
      let y = noise(patches.count, seed: 20 + seed)
      gatherPatches(x, into: patches, shape)
      scatterPatches(y, into: image, shape)
      let left = (0..<y.count).reduce(0.0) { $0 + Double(patches[$1]) * Double(y[$1]) }
      let right = (0..<x.count).reduce(0.0) { $0 + Double(x[$1]) * Double(image[$1]) }
      #expect(abs(left - right) < 1e-5)
      #expect(left != 0)
    }
  }
}
