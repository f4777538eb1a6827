import Primitives
import Vectors

/// Self-attention between its projections: for each sample and head `softmax(q · kᵀ / √d) · v`, and its gradients.
///
/// q, k and v of the heads lie side by side in rows of tokens, [samples, tokens, 3 · width]: first the heads' q, then their k, then their v, each
/// of width / heads columns. The results are [samples, tokens, width]. A head's scores are worked out for some queries at a time, so that
/// they stay in a near cache. Backward works them out again: those of all heads and samples would not stay in one.
///
/// It works in its own memory: two threads must not use one at once.
public struct AttentionHeads {
  private let tokens: Int
  private let heads: Int
  /// The columns of a head, d, and of all of them.
  private let size: Int
  private let width: Int
  private let isCausal: Bool
  /// The queries that are gone through together. With `isCausal` some at a time, which need no product with the keys behind them.
  private let blocks: [Range<Int>]
  /// The weights of a block [queries, keys], in rows of whole vectors, and the gradient of them.
  private let weights: Buffer<Float>
  private let weightsGradient: Buffer<Float>
  /// A head's kᵀ, vᵀ, and k or v, q, and the results' gradient, laid out.
  private let keyColumns: Buffer<Float>
  private let valueColumns: Buffer<Float>
  private let keyRows: Buffer<Float>
  private let queryRows: Buffer<Float>
  private let resultRows: Buffer<Float>
  private let tiles: Buffer<Float>
  /// What forward found out of each query (``AttentionRows``), [samples, heads, tokens, 2].
  private let kept: Buffer<Float>

  /// Attention of up to `capacity` samples. `width` is that of all heads, and a multiple of their number.
  public init(tokens: Int, width: Int, heads: Int, isCausal: Bool, capacity: Int) {
    precondition(heads >= 1 && width % heads == 0, "\(heads) heads of a width of \(width)")
    self.tokens = tokens
    self.heads = heads
    size = width / heads
    self.width = width
    self.isCausal = isCausal
    blocks = isCausal ? Self.blocks(tokens) : [0..<tokens]
    weights = Buffer(count: (blocks.map(\.count).max() ?? 0) * wholeVectors(tokens))
    weightsGradient = Buffer(count: weights.count)
    keyColumns = Buffer(count: size * wholeVectors(tokens))
    valueColumns = Buffer(count: keyColumns.count)
    keyRows = Buffer(count: tokens * wholeVectors(size))
    queryRows = Buffer(count: keyRows.count)
    resultRows = Buffer(count: keyRows.count)
    tiles = Buffer(count: ProductTile.room)
    kept = Buffer(count: capacity * heads * tokens * 2)
  }

  /// Blocks of 48 queries: fewer multiply less that is masked, and more make faster products. 48 are whole tiles of rows, and the keys of a
  /// block end with a whole vector. A rest of fewer than 16 goes with the last block.
  private static func blocks(_ tokens: Int) -> [Range<Int>] {
    let count = max(1, (tokens + 32) / 48)
    return (0..<count).map { index in index * 48..<(index == count - 1 ? tokens : (index + 1) * 48) }
  }

  /// The scores' factor: √d divides them.
  private var scale: Float { 1 / Float(size).squareRoot() }

  /// Computes the heads' results from q, k and v.
  ///
  /// - Parameters:
  ///   - projected: q, k and v, [samples, tokens, 3 · width].
  ///   - attended: the results [samples, tokens, width].
  ///   - precision: whether weights are rounded before they are multiplied.
  public func forward(_ projected: Buffer<Float>, into attended: Buffer<Float>, _ precision: ProductPrecision) {
    for sample in 0..<count(projected, attended) {
      for head in 0..<heads {
        let part = unsafe Part(projected.base, sample, head, self)
        let result = unsafe attended.base + (sample * tokens * width + head * size)
        unsafe layOutPanels(
          part.k, stride: part.stride, isTransposed: true, rows: size, columns: tokens, into: keyColumns.base)
        unsafe layOut(part.v, stride: part.stride, keyRows)
        for queries in blocks {
          let keys = keys(queries)
          score(part, queries)
          let kept = unsafe self.kept.base + 2 * (part.index * tokens + queries.lowerBound)
          unsafe rows(queries).weigh(weights.base, scale: scale, keeping: kept)
          round(weights, queries, precision)
          unsafe multiply(
            LeftFactor(weights.base, rows: queries.count, depth: keys, stride: wholeVectors(keys)), right(keyRows),
            into: result + queries.lowerBound * width, stride: width)
        }
      }
    }
  }

  /// Computes the gradient of q, k and v, of the samples that forward went through last.
  ///
  /// - Parameters:
  ///   - attendedGradient: the gradient of the results [samples, tokens, width].
  ///   - projected: q, k and v, as forward had them.
  ///   - projectedGradient: the gradient of `projected`, which is overwritten.
  ///   - precision: whether weights and their gradient are rounded before they are multiplied.
  public func backward(
    _ attendedGradient: Buffer<Float>, projected: Buffer<Float>, into projectedGradient: Buffer<Float>,
    _ precision: ProductPrecision
  ) {
    precondition(projectedGradient.count == projected.count, "attention's gradient: counts do not fit")
    for sample in 0..<count(projected, attendedGradient) {
      for head in 0..<heads {
        let part = unsafe Part(projected.base, sample, head, self)
        let gradient = unsafe Part(projectedGradient.base, sample, head, self)
        let result = unsafe UnsafePointer(attendedGradient.base) + (sample * tokens * width + head * size)
        unsafe layOutPanels(
          part.k, stride: part.stride, isTransposed: true, rows: size, columns: tokens, into: keyColumns.base)
        unsafe layOutPanels(
          part.v, stride: part.stride, isTransposed: true, rows: size, columns: tokens, into: valueColumns.base)
        unsafe layOut(part.k, stride: part.stride, keyRows)
        unsafe layOut(part.q, stride: part.stride, queryRows)
        unsafe layOut(result, stride: width, resultRows)
        // The last block's keys are all, so that it writes what the others add to.
        for (index, queries) in blocks.enumerated().reversed() {
          unsafe differentiate(
            part, into: gradient, result, queries, index == blocks.count - 1 ? .replace : .add, precision)
        }
      }
    }
  }

  /// The gradients of a head's q, k and v by its results for some queries. Those of k and v are written or added.
  private func differentiate(
    _ part: Part, into gradient: Part, _ result: UnsafePointer<Float>, _ queries: Range<Int>,
    _ accumulation: Accumulation, _ precision: ProductPrecision
  ) {
    let (first, keys) = (queries.lowerBound, keys(queries))
    let length = wholeVectors(keys)
    score(part, queries)
    let kept = unsafe UnsafePointer(self.kept.base) + 2 * (part.index * tokens + first)
    unsafe rows(queries).weighAgain(weights.base, scale: scale, kept: kept)
    unsafe multiply(
      LeftFactor(result + first * width, rows: queries.count, depth: size, stride: width),
      columns(valueColumns, keys), into: weightsGradient.base, stride: length)
    unsafe rows(queries).differentiate(weightsGradient.base, weights: weights.base, scale: scale)
    // As factors the weights are rounded, for their own gradient they are not.
    round(weights, queries, precision)
    round(weightsGradient, queries, precision)
    let weights = unsafe LeftFactor(self.weights.base, transposed: keys, depth: queries.count, stride: length)
    unsafe multiply(
      weights, right(resultRows, from: first), into: gradient.v, stride: gradient.stride, accumulation)
    unsafe multiply(
      LeftFactor(weightsGradient.base, rows: queries.count, depth: keys, stride: length), right(keyRows),
      into: gradient.q + first * gradient.stride, stride: gradient.stride)
    unsafe multiply(
      LeftFactor(weightsGradient.base, transposed: keys, depth: queries.count, stride: length),
      right(queryRows, from: first), into: gradient.k, stride: gradient.stride, accumulation)
  }

  /// The scores q · kᵀ of some queries, from what was laid out.
  private func score(_ part: Part, _ queries: Range<Int>) {
    let keys = keys(queries)
    unsafe multiply(
      LeftFactor(part.q + queries.lowerBound * part.stride, rows: queries.count, depth: size, stride: part.stride),
      columns(keyColumns, keys), into: weights.base, stride: wholeVectors(keys))
  }

  /// The q, k and v of one head in one sample.
  @safe private struct Part {
    let q: UnsafeMutablePointer<Float>
    let k: UnsafeMutablePointer<Float>
    let v: UnsafeMutablePointer<Float>
    /// From a token to the next.
    let stride: Int
    /// The number of the head, through all samples.
    let index: Int

    init(_ projected: UnsafeMutablePointer<Float>, _ sample: Int, _ head: Int, _ all: AttentionHeads) {
      stride = 3 * all.width
      unsafe q = projected + (sample * all.tokens * stride + head * all.size)
      unsafe k = q + all.width
      unsafe v = k + all.width
      index = sample * all.heads + head
    }
  }

  /// The samples of q, k and v; what goes with them must be as many.
  private func count(_ projected: Buffer<Float>, _ attended: Buffer<Float>) -> Int {
    let samples = attended.count / (tokens * width)
    precondition(
      attended.count == samples * tokens * width && projected.count == 3 * attended.count
        && samples * heads * tokens * 2 <= kept.count,
      "attention of \(projected.count) floats into \(attended.count)")
    return samples
  }

  /// How many keys one at least of the queries sees.
  private func keys(_ queries: Range<Int>) -> Int { isCausal ? queries.upperBound : tokens }

  private func rows(_ queries: Range<Int>) -> AttentionRows {
    AttentionRows(queries: queries, keys: keys(queries), isCausal: isCausal)
  }

  private func round(_ values: Buffer<Float>, _ queries: Range<Int>, _ precision: ProductPrecision) {
    guard precision == .bf16 else { return }
    unsafe roundToBFloat16(values.base, into: values.base, count: queries.count * wholeVectors(keys(queries)))
  }

  /// Lays out a head's rows, one a token and `stride` floats apart.
  private func layOut(_ source: UnsafePointer<Float>, stride: Int, _ rows: Buffer<Float>) {
    unsafe layOutPanels(source, stride: stride, isTransposed: false, rows: tokens, columns: size, into: rows.base)
  }

  /// The first keys of what was laid out of all of them as columns.
  private func columns(_ panels: Buffer<Float>, _ keys: Int) -> RightFactor {
    unsafe RightFactor(base: UnsafePointer(panels.base), laidOut: (size, tokens), columns: keys)
  }

  /// What was laid out of tokens as rows, from one of them on.
  private func right(_ panels: Buffer<Float>, from first: Int = 0) -> RightFactor {
    unsafe RightFactor(base: UnsafePointer(panels.base), laidOut: (tokens, size), first: first, columns: size)
  }

  private func multiply(
    _ left: LeftFactor, _ right: RightFactor, into product: UnsafeMutablePointer<Float>, stride: Int,
    _ accumulation: Accumulation = .replace
  ) {
    let piece = unsafe ProductPiece(
      depth: left.depth, part: max(left.depth, 1), product: product, tiles: tiles.base)
    var ending = unsafe ProductEnding(stride: stride)
    if accumulation == .add { unsafe (ending.addend, ending.addendStride) = (UnsafePointer(product), stride) }
    VectorProducts.multiply(left, right, piece, ending, nil, SingleOperands.self)
  }
}
