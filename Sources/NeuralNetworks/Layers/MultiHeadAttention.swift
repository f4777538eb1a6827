import Kernels
import Tensors

/// Self-attention of several heads (Vaswani et al. 2017), with projections before and behind:
///
///     q, k, v = x · Wᵀ + b, each of width columns, of which head h has those from h · d on; d = width / heads
///     a = softmax(q · kᵀ / √d) · v, for each head
///     y = a · Oᵀ + c, a being the heads side by side
///
/// With `causal` a token sees itself and the tokens before it, else all.
///
/// Input `[tokens, width]` → output `[tokens, width]`. Parameters: `inputWeights` W [3 · width, width], its rows those of q, k, v, and
/// `outputWeights` O [width, width] (both Glorot uniform), `inputBias` b [3 · width] and `outputBias` c [width] (zero). They lie as those of
/// PyTorch's `nn.MultiheadAttention`, which computes the same.
///
///     Sequential([MultiHeadAttention(heads: 4)], input: [50, 64], capacity: 32)
public struct MultiHeadAttention: LayerSpecification {
  /// The number of heads; the width must be a multiple of it.
  public let heads: Int
  /// Whether a token sees no later one.
  public let causal: Bool
  public var kind: String { "attention" }

  /// Attention of `heads` heads, 1 or more.
  public init(heads: Int, causal: Bool = false) {
    precondition(heads >= 1, "attention of \(heads) heads")
    self.heads = heads
    self.causal = causal
  }

  public func outputShape(for input: Shape) throws -> Shape {
    _ = try shape(for: input)
    return input
  }

  /// The scores are worked out again in backward, which does not count.
  public func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int {
    guard let shape = try? shape(for: input) else { return 0 }
    let (tokens, width) = (shape.tokens, shape.width)
    let pairs = causal ? tokens * (tokens + 1) / 2 : tokens * tokens
    return 2 * width * ((needsInputGradient ? 3 : 2) * tokens * 3 * width + 6 * pairs + 3 * tokens * width)
  }

  /// With `causal` the tokens are many as a rule, such as an image's pixels. So a sample leaves more for the next layer.
  public var usualMicrobatch: Int { causal ? 2 : 4 }

  public func learntCount(for input: Shape) -> Double {
    guard let width = try? shape(for: input).width else { return 0 }
    return 4 * Double(width) * (Double(width) + 1)
  }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    MultiHeadAttentionLayer(try shape(for: input), heads: heads, isCausal: causal, capacity: capacity)
  }

  private func shape(for input: Shape) throws -> TokenShape {
    let shape = try TokenShape("attention", input: input)
    guard shape.width % heads == 0 else {
      throw ModelError("attention of \(heads) heads cannot take input of shape \(input): they do not divide its width")
    }
    return shape
  }
}

extension MultiHeadAttention {
  /// PyTorch's `nn.MultiheadAttention`.
  public func module(in framework: Framework, input: FrameworkModule.Input) throws -> FrameworkModule {
    guard framework == .pytorch else { throw withoutModule(in: framework) }
    let width = try shape(for: input.shape).width
    return FrameworkModule([
      FrameworkTensor(framework, "in_proj_weight", [3 * width, width], parameter: "inputWeights"),
      FrameworkTensor(framework, "in_proj_bias", [3 * width], parameter: "inputBias"),
      FrameworkTensor(framework, "out_proj.weight", [width, width], parameter: "outputWeights"),
      FrameworkTensor(framework, "out_proj.bias", [width], parameter: "outputBias"),
    ])
  }
}

private final class MultiHeadAttentionLayer: ResidualAdding {
  private let shape: TokenShape
  private let heads: Int
  private let isCausal: Bool
  let parameters: [ParameterSpecification]
  var roundsFactors: Bool { true }
  private let inputProjection: Projection
  private let outputProjection: Projection
  private let attention: AttentionHeads
  /// q, k and v of each token [samples · tokens, 3 · width], and the gradient of them.
  private let projected: Buffer<Float>
  private let projectedGradient: Buffer<Float>
  /// The heads' a side by side [samples · tokens, width], and the gradient of it.
  private let attended: Buffer<Float>
  private let attendedGradient: Buffer<Float>

  init(_ shape: TokenShape, heads: Int, isCausal: Bool, capacity: Int) {
    self.shape = shape
    self.heads = heads
    self.isCausal = isCausal
    let width = shape.width
    inputProjection = Projection(inputs: width, units: 3 * width, capacity: capacity * shape.tokens)
    outputProjection = Projection(inputs: width, units: width, capacity: capacity * shape.tokens)
    attention = AttentionHeads(
      tokens: shape.tokens, width: width, heads: heads, isCausal: isCausal, capacity: capacity)
    parameters =
      Projection.parameters(inputs: width, units: 3 * width, weights: "inputWeights", bias: "inputBias")
      + Projection.parameters(inputs: width, units: width, weights: "outputWeights", bias: "outputBias")
    projected = Buffer(count: capacity * 3 * shape.count)
    projectedGradient = Buffer(count: capacity * 3 * shape.count)
    attended = Buffer(count: capacity * shape.count)
    attendedGradient = Buffer(count: capacity * shape.count)
  }

  func forward(
    _ input: Buffer<Float>, _ parameters: ParameterBlock, residual: Buffer<Float>?, into output: Buffer<Float>,
    _ pass: Pass
  ) {
    let projected = projected.prefix(3 * input.count)
    let attended = attended.prefix(input.count)
    inputProjection.forward(input, weights: parameters[0], bias: parameters[1], into: projected, pass)
    pass.round(projected)
    attention.forward(projected, into: attended, pass.precision)
    pass.round(attended)
    outputProjection.forward(
      attended, weights: parameters[2], bias: parameters[3], residual: residual, into: output, pass)
  }

  func makeStepper(samples: Int, positions: Int) -> (any Stepper)? {
    guard isCausal, shape.tokens == positions else { return nil }
    return AttentionStepper(shape, heads: heads, samples: samples)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    let projected = projected.prefix(3 * windows.input.count)
    let projectedGradient = projectedGradient.prefix(projected.count)
    let attended = attended.prefix(windows.input.count)
    let attendedGradient = attendedGradient.prefix(windows.input.count)
    outputProjection.backward(
      windows.outputGradient, input: attended, weights: windows.parameters[2], into: windows.gradient, at: 2,
      inputGradient: attendedGradient, pass)
    pass.round(attendedGradient)
    attention.backward(attendedGradient, projected: projected, into: projectedGradient, pass.precision)
    pass.round(projectedGradient)
    inputProjection.backward(
      projectedGradient, input: windows.input, weights: windows.parameters[0], into: windows.gradient, at: 0,
      inputGradient: windows.inputGradient, pass)
  }
}

extension MultiHeadAttention: DescribedLayer {
  public var properties: [LayerProperty] { [.integer("heads", heads), .flag("causal", causal, usual: false)] }

  public init(from reader: inout LayerReader) throws {
    self.init(heads: try reader.integer("heads"), causal: try reader.flag("causal", usual: false))
  }
}
