import Kernels
import Tensors

extension WinogradShape {
  /// nil if the kernel cannot do these sizes, or if another is faster, or is the one whose bits stand: 'valid' convolutions keep theirs.
  init?(worthwhile shape: ConvolutionShape) {
    guard shape.padding == 1, min(shape.inputChannels, shape.outputChannels) >= 16 else { return nil }
    self.init(shape)
  }
}

/// A 3×3 convolution by Winograd's filtering, with or without a ReLU behind it.
final class WinogradConvolutionLayer: Layer {
  private let shape: WinogradShape
  let parameters: [ParameterSpecification]
  private let rectifying: Bool
  private let scratch: WinogradScratch
  private var hasBias: Bool { parameters.count > 1 }

  init(_ shape: WinogradShape, parameters: [ParameterSpecification], rectifying: Bool) {
    self.shape = shape
    self.parameters = parameters
    self.rectifying = rectifying
    scratch = WinogradScratch(shape)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    winogradConvolution(
      input, weights: parameters[0], bias: hasBias ? parameters[1] : nil, into: output, samples: pass.samples, shape,
      rectifying: rectifying, scratch: scratch)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    winogradConvolutionGradient(
      windows.outputGradient, output: windows.output, input: windows.input, weights: windows.parameters[0],
      into: windows.gradient[0], bias: hasBias ? windows.gradient[1] : nil, inputGradient: windows.inputGradient,
      samples: pass.samples, shape, rectifying: rectifying, scratch: scratch, windows.gradient.accumulation)
  }
}
