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

  public func learntCount(for input: Shape) -> Double {
    (try? shape(for: input)).map { 4 * Double($0.width) * (Double($0.width) + 1) } ?? 0
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

private final class MultiHeadAttentionLayer: Layer {
  private let shape: TokenShape
  private let heads: Int
  private let isCausal: Bool
  let parameters: [ParameterSpecification]
  private let inputProjection: Projection
  private let outputProjection: Projection
  /// q, k and v of each token [samples · tokens, 3 · width], and the gradient of them.
  private let projected: Buffer<Float>
  private let projectedGradient: Buffer<Float>
  /// The heads' a side by side [samples · tokens, width], and the gradient of it.
  private let attended: Buffer<Float>
  private let attendedGradient: Buffer<Float>
  /// The right sides of a head's products, laid out for them: [tokens, head's width], and transposed.
  private let packedRows: PackedMatrix
  private let packedColumns: PackedMatrix
  /// The weights of one head in one sample [tokens, tokens], in rows of whole vectors, and the gradient of them. Backward works them out
  /// again: those of all heads and samples would not stay in the cache.
  private let weights: Buffer<Float>
  private let weightsGradient: Buffer<Float>

  init(_ shape: TokenShape, heads: Int, isCausal: Bool, capacity: Int) {
    self.shape = shape
    self.heads = heads
    self.isCausal = isCausal
    let width = shape.width
    inputProjection = Projection(inputs: width, units: 3 * width, capacity: capacity * shape.tokens, hasManyRows: true)
    outputProjection = Projection(inputs: width, units: width, capacity: capacity * shape.tokens, hasManyRows: true)
    parameters =
      Projection.parameters(inputs: width, units: 3 * width, weights: "inputWeights", bias: "inputBias")
      + Projection.parameters(inputs: width, units: width, weights: "outputWeights", bias: "outputBias")
    projected = Buffer(count: capacity * 3 * shape.count)
    projectedGradient = Buffer(count: capacity * 3 * shape.count)
    attended = Buffer(count: capacity * shape.count)
    attendedGradient = Buffer(count: capacity * shape.count)
    packedRows = PackedMatrix(rows: shape.tokens, columns: shape.width / heads)
    packedColumns = PackedMatrix(rows: shape.width / heads, columns: shape.tokens)
    weights = Buffer(count: shape.tokens * wholeVectors(shape.tokens))
    weightsGradient = Buffer(count: shape.tokens * wholeVectors(shape.tokens))
  }

  private var headWidth: Int { shape.width / heads }
  /// √d divides the scores.
  private var scale: Float { 1 / Float(headWidth).squareRoot() }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    let projected = projected.prefix(3 * input.count)
    let attended = attended.prefix(input.count)
    inputProjection.forward(input, weights: parameters[0], bias: parameters[1], into: projected)
    for sample in 0..<pass.samples {
      let ofSample = rows(sample, of: projected, width: 3 * shape.width)
      let ofHeads = rows(sample, of: attended, width: shape.width)
      for head in 0..<heads {
        weigh(ofSample, head)
        multiply(
          tile(weights), byRows: ofSample[columns: columns(head, of: 2)], into: ofHeads[columns: columns(head, of: 0)])
      }
    }
    outputProjection.forward(attended, weights: parameters[2], bias: parameters[3], into: output)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    let projected = projected.prefix(3 * windows.input.count)
    let projectedGradient = projectedGradient.prefix(projected.count)
    let attended = attended.prefix(windows.input.count)
    let attendedGradient = attendedGradient.prefix(windows.input.count)
    outputProjection.backward(
      windows.outputGradient, input: attended, weights: windows.parameters[2], into: windows.gradient, at: 2,
      inputGradient: attendedGradient)
    for sample in 0..<pass.samples {
      let ofSample = rows(sample, of: projected, width: 3 * shape.width)
      let gradient = rows(sample, of: projectedGradient, width: 3 * shape.width)
      let ofHeadsGradient = rows(sample, of: attendedGradient, width: shape.width)
      for head in 0..<heads {
        let (q, k, v) = (columns(head, of: 0), columns(head, of: 1), columns(head, of: 2))
        weigh(ofSample, head)
        multiply(tile(weights).transposed, byRows: ofHeadsGradient[columns: q], into: gradient[columns: v])
        multiply(ofHeadsGradient[columns: q], byColumns: ofSample[columns: v], into: tile(weightsGradient))
        attentionWeightsGradient(weightsGradient, weights: weights, keys: shape.tokens, scale: scale)
        multiply(tile(weightsGradient), byRows: ofSample[columns: k], into: gradient[columns: q])
        multiply(tile(weightsGradient).transposed, byRows: ofSample[columns: q], into: gradient[columns: k])
      }
    }
    inputProjection.backward(
      projectedGradient, input: windows.input, weights: windows.parameters[0], into: windows.gradient, at: 0,
      inputGradient: windows.inputGradient)
  }

  /// The weights of one head, softmax(q · kᵀ / √d), of a sample's q, k and v.
  private func weigh(_ ofSample: Matrix, _ head: Int) {
    multiply(
      ofSample[columns: columns(head, of: 0)], byColumns: ofSample[columns: columns(head, of: 1)], into: tile(weights))
    attentionWeights(weights, keys: shape.tokens, scale: scale, isCausal: isCausal)
  }

  /// `product = left · right`, right [tokens, head's width].
  private func multiply(_ left: Matrix, byRows right: Matrix, into product: Matrix) {
    packedRows.pack(right)
    Kernels.multiply(left, packedRows, into: product)
  }

  /// `product = left · rightᵀ`, right [tokens, head's width].
  private func multiply(_ left: Matrix, byColumns right: Matrix, into product: Matrix) {
    packedColumns.pack(right.transposed)
    Kernels.multiply(left, packedColumns, into: product)
  }

  /// The rows of one sample, [tokens, width].
  private func rows(_ sample: Int, of values: Buffer<Float>, width: Int) -> Matrix {
    let count = shape.tokens * width
    return Matrix(values[sample * count..<(sample + 1) * count], rows: shape.tokens, columns: width)
  }

  /// The columns of a head in part 0, 1 or 2 of `projected`: q, k or v.
  private func columns(_ head: Int, of part: Int) -> Range<Int> {
    let start = part * shape.width + head * headWidth
    return start..<start + headWidth
  }

  /// [tokens, tokens] without what makes whole vectors of its rows.
  private func tile(_ values: Buffer<Float>) -> Matrix {
    Matrix(values, rows: shape.tokens, columns: wholeVectors(shape.tokens))[columns: 0..<shape.tokens]
  }
}
