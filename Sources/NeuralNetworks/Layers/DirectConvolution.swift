import Kernels
import Tensors

extension DirectConvolutionShape {
  /// nil if the kernel cannot do these sizes, or if patches and sgemm are faster: measured, with eight lanes and many
  /// weights.
  init?(worthwhile shape: ConvolutionShape, needsInputGradient: Bool) {
    guard laneCount == 16 || shape.patch <= 576 else { return nil }
    self.init(shape, needsInputGradient: needsInputGradient)
  }
}

/// A convolution without a patch matrix, with or without a ReLU behind it.
final class DirectConvolutionLayer: Layer {
  private let shape: DirectConvolutionShape
  let parameters: [ParameterSpecification]
  private let rectifying: Bool
  private let scratch: DirectConvolutionScratch
  private var hasBias: Bool { parameters.count > 1 }

  init(_ shape: DirectConvolutionShape, parameters: [ParameterSpecification], rectifying: Bool) {
    self.shape = shape
    self.parameters = parameters
    self.rectifying = rectifying
    scratch = DirectConvolutionScratch(shape)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    directConvolution(
      input, weights: parameters[0], bias: hasBias ? parameters[1] : nil, into: output,
      samples: pass.samples, shape, rectifying: rectifying, scratch: scratch)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    directConvolutionGradient(
      windows.outputGradient, output: windows.output, input: windows.input, weights: windows.parameters[0],
      into: windows.gradient[0], bias: hasBias ? windows.gradient[1] : nil, inputGradient: windows.inputGradient,
      samples: pass.samples, shape, rectifying: rectifying, scratch: scratch, windows.gradient.accumulation)
  }
}
