// From the scores of an attention head to its weights, forward and backward. A row of scores has room for whole vectors, so that a row
// has no rest; what lies behind its keys is never read, and may be anything.

import Primitives
import Vectors

/// Turns the scores of each query into its weights: `softmax(scale · score)` over the keys that the query sees, and 0 for the others.
///
/// `scores` [queries, wholeVectors(keys)] is overwritten. With `isCausal` query i, counted from `first`, sees the keys 0…i, else all. `scale` must be positive. A row
/// with an infinite or NaN score becomes NaN.
public func attentionWeights(
  _ scores: Buffer<Float>, keys: Int, scale: Float, isCausal: Bool, from first: Int = 0
) {
  let rows = AttentionRows(scores.count, keys: keys, isCausal: isCausal, from: first)
  unsafe rows.weigh(scores.base, scale: scale, keeping: nil)
}

/// The gradient of ``attentionWeights(_:keys:scale:isCausal:from:)``: turns that of the weights into that of the scores,
/// `weight · (gradient − Σ weight · gradient) · scale`, the sum over the row.
///
/// `gradient`, which is overwritten, and `weights` are [queries, wholeVectors(keys)].
public func attentionWeightsGradient(
  _ gradient: Buffer<Float>, weights: Buffer<Float>, keys: Int, scale: Float
) {
  precondition(weights.count == gradient.count, "attention's gradient over \(keys) keys: counts do not fit")
  let rows = AttentionRows(gradient.count, keys: keys, isCausal: false, from: 0)
  unsafe rows.differentiate(gradient.base, weights: weights.base, scale: scale)
}

/// Rows of scores, of as many queries over some keys.
struct AttentionRows {
  private let count: Int
  private let keys: Int
  private let isCausal: Bool
  /// The number of the first query.
  private let first: Int
  /// The floats of a row.
  private let length: Int

  init(queries: Range<Int>, keys: Int, isCausal: Bool) {
    count = queries.count
    self.keys = keys
    self.isCausal = isCausal
    first = queries.lowerBound
    length = wholeVectors(keys)
  }

  init(_ floats: Int, keys: Int, isCausal: Bool, from first: Int) {
    let length = wholeVectors(keys)
    precondition(keys >= 1 && floats % length == 0, "attention over \(keys) keys, of \(floats) floats")
    self.init(queries: first..<first + floats / length, keys: keys, isCausal: isCausal)
  }

  private func visible(_ row: Int) -> Int { isCausal ? min(first + row + 1, keys) : keys }

  /// Turns scores into weights, and keeps what ``weighAgain(_:scale:kept:)`` needs, two floats a row: the largest score that the query sees, and
  /// what the exponentials are multiplied by.
  func weigh(_ scores: UnsafeMutablePointer<Float>, scale: Float, keeping kept: UnsafeMutablePointer<Float>?) {
    let (hidden, scales) = (Lanes(repeating: -.infinity), Lanes(repeating: scale))
    for row in 0..<count {
      let score = unsafe scores + row * length
      let visible = visible(row)
      let (whole, end) = (visible / laneCount * laneCount, wholeVectors(visible))
      let rest = unsafe whole < end ? score.seenLanes(whole, first: visible - whole) : hidden
      var largest = hidden
      for i in stride(from: 0, to: whole, by: laneCount) {
        let own = unsafe score.lanes(i)
        // A NaN is larger than nothing; it comes out below.
        largest.replace(with: own, where: own .> largest)
      }
      largest.replace(with: rest, where: rest .> largest)
      let most = largest.largestLane()
      let mosts = Lanes(repeating: most)
      var total = Lanes(repeating: 0)
      for i in stride(from: 0, to: whole, by: laneCount) {
        let weight = unsafe ((score.lanes(i) - mosts) * scales).exponentialUpToZero()
        total += weight
        unsafe score.store(weight, i)
      }
      if whole < end {
        let weight = ((rest - mosts) * scales).exponentialUpToZero()
        total += weight
        unsafe score.store(weight, whole)
      }
      let factor = 1 / total.total()
      let factors = Lanes(repeating: factor)
      for i in stride(from: 0, to: end, by: laneCount) { unsafe score.store(score.lanes(i) * factors, i) }
      for i in stride(from: end, to: length, by: laneCount) { unsafe score.store(Lanes(repeating: 0), i) }
      if let kept = unsafe kept {
        unsafe kept[2 * row] = most
        unsafe kept[2 * row + 1] = factor
      }
    }
  }

  /// The weights of the same scores, with the same bits.
  func weighAgain(_ scores: UnsafeMutablePointer<Float>, scale: Float, kept: UnsafePointer<Float>) {
    let scales = Lanes(repeating: scale)
    for row in 0..<count {
      let score = unsafe scores + row * length
      let visible = visible(row)
      let (whole, end) = (visible / laneCount * laneCount, wholeVectors(visible))
      let mosts = unsafe Lanes(repeating: kept[2 * row])
      let factors = unsafe Lanes(repeating: kept[2 * row + 1])
      for i in stride(from: 0, to: whole, by: laneCount) {
        unsafe score.store(((score.lanes(i) - mosts) * scales).exponentialUpToZero() * factors, i)
      }
      if whole < end {
        let rest = unsafe score.seenLanes(whole, first: visible - whole)
        unsafe score.store(((rest - mosts) * scales).exponentialUpToZero() * factors, whole)
      }
      for i in stride(from: end, to: length, by: laneCount) { unsafe score.store(Lanes(repeating: 0), i) }
    }
  }

  /// Turns the gradient of weights into that of scores.
  func differentiate(_ gradient: UnsafeMutablePointer<Float>, weights: UnsafePointer<Float>, scale: Float) {
    let (zero, scales) = (Lanes(repeating: 0), Lanes(repeating: scale))
    let numbers = laneNumbers()
    let whole = keys / laneCount * laneCount
    let hidden = numbers .>= Lanes(repeating: Float(keys - whole))
    for row in 0..<count {
      let d = unsafe gradient + row * length
      let w = unsafe weights + row * length
      var sum = zero
      for i in stride(from: 0, to: whole, by: laneCount) { unsafe sum += w.lanes(i) * d.lanes(i) }
      if whole < length { unsafe sum += (w.lanes(whole) * d.lanes(whole)).replacing(with: zero, where: hidden) }
      let mean = Lanes(repeating: sum.total())
      for i in stride(from: 0, to: length, by: laneCount) {
        unsafe d.store(w.lanes(i) * (d.lanes(i) - mean) * scales, i)
      }
    }
  }
}

extension UnsafeMutablePointer<Float> {
  /// The scores at `offset`, of which a query sees the first `count`: those behind are less than any.
  @inline(__always)
  fileprivate func seenLanes(_ offset: Int, first count: Int) -> Lanes {
    unsafe lanes(offset).replacing(
      with: Lanes(repeating: -.infinity), where: laneNumbers() .>= Lanes(repeating: Float(count)))
  }
}

/// 0, 1, 2, …
@inline(__always)
private func laneNumbers() -> Lanes {
  var numbers = Lanes(repeating: 0)
  for lane in 0..<laneCount { numbers[lane] = Float(lane) }
  return numbers
}

extension Lanes {
  /// The largest lane, where none is NaN.
  @inline(__always)
  fileprivate func largestLane() -> Float {
    #if LOCKSTEP_LANES_16
      let eight = lowHalf.replacing(with: highHalf, where: highHalf .> lowHalf)
    #else
      let eight = self
    #endif
    let four = eight.lowHalf.replacing(with: eight.highHalf, where: eight.highHalf .> eight.lowHalf)
    let two = four.lowHalf.replacing(with: four.highHalf, where: four.highHalf .> four.lowHalf)
    return two.x > two.y ? two.x : two.y
  }
}
