import Primitives
import Vectors

/// A convolution that takes its samples one by one, with or without a ReLU behind it, and its gradients.
///
/// A kernel says how one sample is done; what they share, over a pass's samples, is in the extension.
public protocol SampleConvolution: Sendable {
  /// Whether the kernel can do these sizes. It takes no memory to say so.
  static func fits(_ shape: ConvolutionShape, needsInputGradient: Bool) -> Bool

  /// A convolution of sizes that fit, with its buffers; else nil.
  init?(_ shape: ConvolutionShape, needsInputGradient: Bool)

  /// The sizes.
  var shape: ConvolutionShape { get }
  /// The sums over samples.
  var sums: ConvolutionSums { get }

  /// Lays out the weights for ``convolve(_:bias:into:rectifying:)``.
  func beginForward(_ weights: Buffer<Float>)

  /// Writes one sample's output, [output height, output width, outputChannels], with the bias.
  func convolve(_ input: Buffer<Float>, bias: Buffer<Float>, into output: Buffer<Float>, rectifying: Bool)

  /// Clears the gradient of the weights, and lays them out for that of the input, if it is asked for.
  func beginBackward(_ weights: Buffer<Float>, needsInputGradient: Bool)

  /// Adds one sample's gradient of the weights, and writes that of its input, if it is asked for.
  ///
  /// - Parameters:
  ///   - input: the sample, [height, width, inputChannels].
  ///   - gradient: that of the output before the ReLU, [output height, output width, outputChannels].
  ///   - inputGradient: that of the input, which is written; nil if it is not asked for.
  func differentiate(_ input: Buffer<Float>, _ gradient: Buffer<Float>, inputGradient: Buffer<Float>?)

  /// Completes the gradient of the weights in ``SampleConvolution/sums`` from what was added.
  func completeWeights()
}

/// What a convolution adds up over the samples of a pass, and buffers for one of them, made once.
public struct ConvolutionSums: Sendable {
  /// The gradients of weights and bias, completed here over the samples.
  let weights: Buffer<Float>
  let bias: Buffer<Float>
  /// A sample's output's gradient behind the ReLU.
  let gradient: Buffer<Float>
  /// The bias of an input's gradient, and of a convolution without one: zeros.
  let noBias: Buffer<Float>

  init(_ shape: ConvolutionShape) {
    weights = Buffer(count: shape.patch * shape.outputChannels)
    bias = Buffer(count: shape.outputChannels)
    gradient = Buffer(count: shape.positions * shape.outputChannels)
    noBias = Buffer(count: max(shape.inputChannels, shape.outputChannels))
  }
}

extension SampleConvolution {
  /// The floats of one sample's input.
  public var inputCount: Int { shape.height * shape.width * shape.inputChannels }
  /// The floats of one sample's output.
  public var outputCount: Int { shape.positions * shape.outputChannels }
  /// The floats of all weights.
  public var weightsCount: Int { shape.patch * shape.outputChannels }

  /// `output[n, y, x, o]` = bias[o] + Σ weights · patch, and with `rectifying` the larger of that and 0.
  ///
  /// `input` [samples, height, width, inputChannels] · `weights` [kernel, kernel, inputChannels, outputChannels] · `bias`
  /// [outputChannels], nil for none · `output` [samples, output height, output width, outputChannels].
  ///
  /// `isLaidOut` says that the last call had these very weights.
  public func forward(
    _ input: Buffer<Float>, weights: Buffer<Float>, bias: Buffer<Float>?, into output: Buffer<Float>, samples: Int,
    rectifying: Bool, isLaidOut: Bool = false
  ) {
    let bias = bias ?? sums.noBias.prefix(shape.outputChannels)
    precondition(input.count == samples * inputCount, "a convolution of \(input.count) floats")
    precondition(output.count == samples * outputCount, "a convolution into \(output.count) floats")
    precondition(weights.count == weightsCount && bias.count == shape.outputChannels, "a convolution's weights")
    if !isLaidOut { beginForward(weights) }
    for sample in 0..<samples {
      convolve(
        input[sample * inputCount..<(sample + 1) * inputCount], bias: bias,
        into: output[sample * outputCount..<(sample + 1) * outputCount], rectifying: rectifying)
    }
  }

  /// The gradients of ``forward(_:weights:bias:into:samples:rectifying:isLaidOut:)``: of its weights and bias, if any, summed over the samples and
  /// then written or added once, and of its input, if that is asked for. `output` is what forward wrote; it is read only with `rectifying`.
  ///
  /// `isLaidOut` says that the last call had these very weights, and an input gradient as well.
  public func backward(
    _ gradient: Buffer<Float>, output: Buffer<Float>, input: Buffer<Float>, weights: Buffer<Float>,
    into weightsGradient: Buffer<Float>, bias biasGradient: Buffer<Float>?, inputGradient: Buffer<Float>?, samples: Int,
    rectifying: Bool, isLaidOut: Bool = false, _ accumulation: Accumulation
  ) {
    precondition(input.count == samples * inputCount, "a convolution's gradient: input")
    precondition(
      gradient.count == samples * outputCount && output.count == gradient.count,
      "a convolution's gradient of \(gradient.count) and \(output.count) floats")
    precondition(
      weightsGradient.count == weightsCount && weights.count == weightsCount
        && (biasGradient?.count ?? shape.outputChannels) == shape.outputChannels,
      "a convolution's gradient: weights")
    precondition(inputGradient.map { $0.count == input.count } ?? true, "a convolution's input gradient")
    sums.bias.fill(0)
    beginBackward(weights, needsInputGradient: inputGradient != nil && !isLaidOut)
    for sample in 0..<samples {
      let (inputs, outputs) = (
        sample * inputCount..<(sample + 1) * inputCount, sample * outputCount..<(sample + 1) * outputCount
      )
      var own = gradient[outputs]
      if rectifying {
        rectifyGradient(own, output: output[outputs], into: sums.gradient)
        own = sums.gradient
      }
      if biasGradient != nil { columnSums(own, into: sums.bias, .add) }
      differentiate(input[inputs], own, inputGradient: inputGradient?[inputs])
    }
    completeWeights()
    accumulate(sums.weights, into: weightsGradient, accumulation)
    if let biasGradient { accumulate(sums.bias, into: biasGradient, accumulation) }
  }
}
