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

private final class MultiHeadAttentionLayer: Layer {
  private let shape: TokenShape
  private let heads: Int
  private let isCausal: Bool
  let parameters: [ParameterSpecification]
  var roundsFactors: Bool { true }
  private let inputProjection: Projection
  private let outputProjection: Projection
  /// q, k and v of each token [samples · tokens, 3 · width], and the gradient of them.
  private let projected: Buffer<Float>
  private let projectedGradient: Buffer<Float>
  /// The heads' a side by side [samples · tokens, width], and the gradient of it.
  private let attended: Buffer<Float>
  private let attendedGradient: Buffer<Float>
  /// Queries that are gone through together, and the keys that one at least of them sees.
  private struct Block {
    let queries: Range<Int>
    let keys: Range<Int>
    /// The right sides of a head's products, laid out for them: [keys, head's width], that transposed, and [queries, head's width].
    let packedKeys: PackedMatrix
    let packedColumns: PackedMatrix
    let packedQueries: PackedMatrix
  }

  /// All queries, first to last: with `isCausal` some at a time, which need no product with the keys behind them.
  private let blocks: [Block]
  /// The weights of one head in one sample for a block of queries [queries, keys], in rows of whole vectors, and the gradient of them.
  /// Backward works them out again: those of all heads and samples would not stay in the cache.
  private let weights: Buffer<Float>
  private let weightsGradient: Buffer<Float>

  init(_ shape: TokenShape, heads: Int, isCausal: Bool, capacity: Int) {
    self.shape = shape
    self.heads = heads
    self.isCausal = isCausal
    let width = shape.width
    inputProjection = Projection(inputs: width, units: 3 * width, capacity: capacity * shape.tokens)
    outputProjection = Projection(inputs: width, units: width, capacity: capacity * shape.tokens)
    parameters =
      Projection.parameters(inputs: width, units: 3 * width, weights: "inputWeights", bias: "inputBias")
      + Projection.parameters(inputs: width, units: width, weights: "outputWeights", bias: "outputBias")
    projected = Buffer(count: capacity * 3 * shape.count)
    projectedGradient = Buffer(count: capacity * 3 * shape.count)
    attended = Buffer(count: capacity * shape.count)
    attendedGradient = Buffer(count: capacity * shape.count)
    let block = isCausal ? Self.block(shape.tokens) : shape.tokens
    blocks = stride(from: 0, to: shape.tokens, by: block).map { start in
      let queries = start..<min(start + block, shape.tokens)
      let (keys, size) = (queries.upperBound, width / heads)
      return Block(
        queries: queries, keys: 0..<keys, packedKeys: PackedMatrix(rows: keys, columns: size),
        packedColumns: PackedMatrix(rows: size, columns: keys),
        packedQueries: PackedMatrix(rows: queries.count, columns: size))
    }
    weights = Buffer(count: block * wholeVectors(shape.tokens))
    weightsGradient = Buffer(count: block * wholeVectors(shape.tokens))
  }

  /// The most queries of a block: fewer multiply less that is masked, and more make faster products.
  private static let mostQueries = 64

  /// Blocks of one size, or almost.
  private static func block(_ tokens: Int) -> Int {
    let count = (tokens + mostQueries - 1) / mostQueries
    return (tokens + count - 1) / count
  }

  private var headWidth: Int { shape.width / heads }
  /// √d divides the scores.
  private var scale: Float { 1 / Float(headWidth).squareRoot() }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    let projected = projected.prefix(3 * input.count)
    let attended = attended.prefix(input.count)
    inputProjection.forward(input, weights: parameters[0], bias: parameters[1], into: projected, pass.precision)
    pass.round(projected)
    for sample in 0..<pass.samples {
      let ofSample = rows(sample, of: projected, width: 3 * shape.width)
      let ofHeads = rows(sample, of: attended, width: shape.width)
      for head in 0..<heads {
        let (result, v) = (ofHeads[columns: columns(head, of: 0)], ofSample[columns: columns(head, of: 2)])
        for block in blocks {
          weigh(ofSample, head, block)
          pass.round(rows(weights, block))
          multiply(tile(weights, block), v[rows: block.keys], by: block.packedKeys, into: result[rows: block.queries])
        }
      }
    }
    pass.round(attended)
    outputProjection.forward(attended, weights: parameters[2], bias: parameters[3], into: output, pass.precision)
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
      inputGradient: attendedGradient, pass.precision)
    pass.round(attendedGradient)
    for sample in 0..<pass.samples {
      let ofSample = rows(sample, of: projected, width: 3 * shape.width)
      let gradient = rows(sample, of: projectedGradient, width: 3 * shape.width)
      let ofHeadsGradient = rows(sample, of: attendedGradient, width: shape.width)
      for head in 0..<heads {
        // The last block's keys are all, so that it writes what the others add to.
        for (index, block) in blocks.enumerated().reversed() {
          backward(
            ofSample, into: gradient, ofHeadsGradient, head, block, index == blocks.count - 1 ? .replace : .add, pass)
        }
      }
    }
    pass.round(projectedGradient)
    inputProjection.backward(
      projectedGradient, input: windows.input, weights: windows.parameters[0], into: windows.gradient, at: 0,
      inputGradient: windows.inputGradient, pass.precision)
  }

  /// The gradients of a sample's q, k and v by one head's results for some queries. Those of k and v are written or added.
  private func backward(
    _ ofSample: Matrix, into gradient: Matrix, _ ofHeadsGradient: Matrix, _ head: Int, _ block: Block,
    _ accumulation: Accumulation, _ pass: Pass
  ) {
    let (q, k, v) = (columns(head, of: 0), columns(head, of: 1), columns(head, of: 2))
    let (queries, keys) = (block.queries, block.keys)
    let resultGradient = ofHeadsGradient[columns: q][rows: queries]
    weigh(ofSample, head, block)
    let (weights, weightsGradient) = (tile(weights, block), tile(weightsGradient, block))
    multiply(
      resultGradient, ofSample[columns: v][rows: keys].transposed, by: block.packedColumns, into: weightsGradient)
    attentionWeightsGradient(
      rows(self.weightsGradient, block), weights: rows(self.weights, block), keys: keys.count, scale: scale)
    // As factors the weights are rounded, for their own gradient they are not.
    pass.round(rows(self.weights, block))
    pass.round(rows(self.weightsGradient, block))
    multiply(
      weights.transposed, resultGradient, by: block.packedQueries, into: gradient[columns: v][rows: keys], accumulation)
    multiply(
      weightsGradient, ofSample[columns: k][rows: keys], by: block.packedKeys, into: gradient[columns: q][rows: queries]
    )
    multiply(
      weightsGradient.transposed, ofSample[columns: q][rows: queries], by: block.packedQueries,
      into: gradient[columns: k][rows: keys], accumulation)
  }

  /// The weights of one head for some queries, softmax(q · kᵀ / √d), of a sample's q, k and v.
  private func weigh(_ ofSample: Matrix, _ head: Int, _ block: Block) {
    let (q, k) = (ofSample[columns: columns(head, of: 0)], ofSample[columns: columns(head, of: 1)])
    multiply(
      q[rows: block.queries], k[rows: block.keys].transposed, by: block.packedColumns, into: tile(weights, block))
    attentionWeights(
      rows(weights, block), keys: block.keys.count, scale: scale, isCausal: isCausal, from: block.queries.lowerBound)
  }

  /// `product = left · right`, or `product += left · right`, right laid out in `packed`.
  private func multiply(
    _ left: Matrix, _ right: Matrix, by packed: PackedMatrix, into product: Matrix,
    _ accumulation: Accumulation = .replace
  ) {
    packed.pack(right)
    Kernels.multiply(left, packed, into: product, accumulation)
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

  /// What some queries need of a buffer of weights, [queries, keys] with rows of whole vectors.
  private func rows(_ values: Buffer<Float>, _ block: Block) -> Buffer<Float> {
    values.prefix(block.queries.count * wholeVectors(block.keys.count))
  }

  /// The same without what makes whole vectors of its rows.
  private func tile(_ values: Buffer<Float>, _ block: Block) -> Matrix {
    let keys = block.keys.count
    return Matrix(rows(values, block), rows: block.queries.count, columns: wholeVectors(keys))[columns: 0..<keys]
  }
}

extension MultiHeadAttention: DescribedLayer {
  public var properties: [LayerProperty] { [.integer("heads", heads), .flag("causal", causal, usual: false)] }

  public init(from reader: inout LayerReader) throws {
    self.init(heads: try reader.integer("heads"), causal: try reader.flag("causal", usual: false))
  }
}
