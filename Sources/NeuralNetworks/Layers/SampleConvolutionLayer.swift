import Kernels
import Tensors

/// A convolution by a kernel that takes its samples one by one, with or without a ReLU behind it.
final class SampleConvolutionLayer: Layer {
  private let convolution: any SampleConvolution
  let parameters: [ParameterSpecification]
  var roundsFactors: Bool { true }
  private let rectifying: Bool
  /// The versions of the weights that the kernel has laid out, for its output and for its input's gradient.
  private var forwardVersion: WeightsVersion?
  private var backwardVersion: WeightsVersion?
  var kept: Buffer<Float>?
  private var hasBias: Bool { parameters.count > 1 }

  init(_ convolution: any SampleConvolution, parameters: [ParameterSpecification], rectifying: Bool) {
    self.convolution = convolution
    self.parameters = parameters
    self.rectifying = rectifying
  }

  /// The fastest of these kernels for a convolution of these sizes; nil if none can do them, or if patches and sgemm are faster. It takes no
  /// memory to choose.
  static func kernel(for shape: ConvolutionShape, needsInputGradient: Bool) -> (any SampleConvolution.Type)? {
    // 'Valid' convolutions keep the kernel whose bits stand.
    if shape.padding == 1, min(shape.inputChannels, shape.outputChannels) >= 16,
      WinogradConvolution.fits(shape, needsInputGradient: needsInputGradient)
    {
      return WinogradConvolution.self
    }
    // Measured, with eight lanes and many weights.
    guard laneCount == 16 || shape.patch <= 576 else { return nil }
    if DirectConvolution.fits(shape, needsInputGradient: needsInputGradient) { return DirectConvolution.self }
    return StridedConvolution.fits(shape, needsInputGradient: needsInputGradient) ? StridedConvolution.self : nil
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    convolution.forward(
      input, weights: parameters[0], bias: hasBias ? parameters[1] : nil, into: output, samples: pass.samples,
      rectifying: rectifying, isLaidOut: pass.keeps(forwardVersion))
    forwardVersion = pass.weights
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    convolution.backward(
      windows.outputGradient, output: windows.output, input: windows.input, weights: windows.parameters[0],
      into: windows.gradient[0], bias: hasBias ? windows.gradient[1] : nil, inputGradient: windows.inputGradient,
      samples: pass.samples, rectifying: rectifying, isLaidOut: pass.keeps(backwardVersion),
      windows.gradient.accumulation)
    backwardVersion = windows.inputGradient == nil ? nil : pass.weights
  }
}

extension SampleConvolutionLayer: SampleGradientKeeper {
  func differentiate(_ samples: Range<Int>, _ windows: BackwardWindows, into gradient: GradientBlock) {
    let (inputs, outputs) = (convolution.inputCount, convolution.outputCount)
    // Of these weights the version is not known.
    backwardVersion = nil
    convolution.backward(
      windows.outputGradient.rows(samples, of: outputs), output: windows.output.rows(samples, of: outputs),
      input: windows.input.rows(samples, of: inputs), weights: windows.parameters[0], into: gradient[0],
      bias: hasBias ? gradient[1] : nil, inputGradient: windows.inputGradient?.rows(samples, of: inputs),
      samples: samples.count, rectifying: rectifying, isLaidOut: samples.lowerBound > 0, gradient.accumulation)
  }
}
