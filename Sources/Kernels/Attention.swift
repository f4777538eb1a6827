// From the scores of an attention head to its weights, forward and backward. A row of scores has room for whole vectors, so that a row
// has no rest; what lies behind its keys is never read, and may be anything.

/// The floats of a row of `count` that has room for whole vectors.
public func wholeVectors(_ count: Int) -> Int { (count + laneCount - 1) / laneCount * laneCount }

/// Turns the scores of each query into its weights: `softmax(scale · score)` over the keys that the query sees, and 0 for the others.
///
/// `scores` [queries, wholeVectors(keys)] is overwritten. With `isCausal` query i, counted from `first`, sees the keys 0…i, else all. `scale` must be positive. A row
/// with an infinite or NaN score becomes NaN.
public func attentionWeights(
  _ scores: Buffer<Float>, keys: Int, scale: Float, isCausal: Bool, from first: Int = 0
) {
  let length = wholeVectors(keys)
  precondition(keys >= 1 && scores.count % length == 0, "attention over \(keys) keys, of \(scores.count) floats")
  let numbers = laneNumbers()
  let (hidden, scales) = (Lanes(repeating: -.infinity), Lanes(repeating: scale))
  for row in 0..<scores.count / length {
    let score = unsafe scores.base + row * length
    let visible = isCausal ? min(first + row + 1, keys) : keys
    // Behind these vectors all weights are 0.
    let end = wholeVectors(visible)
    @inline(__always)
    func visibleScores(_ i: Int) -> Lanes {
      unsafe score.lanes(i).replacing(with: hidden, where: numbers .>= Lanes(repeating: Float(visible - i)))
    }
    var largest = hidden
    for i in stride(from: 0, to: end, by: laneCount) {
      let own = visibleScores(i)
      // A NaN is larger than nothing; it comes out below.
      largest.replace(with: own, where: own .> largest)
    }
    let most = Lanes(repeating: largest.largestLane())
    var total = Lanes(repeating: 0)
    for i in stride(from: 0, to: end, by: laneCount) {
      let weight = ((visibleScores(i) - most) * scales).exponentialUpToZero()
      total += weight
      unsafe score.store(weight, i)
    }
    let factor = Lanes(repeating: 1 / total.total())
    for i in stride(from: 0, to: end, by: laneCount) { unsafe score.store(score.lanes(i) * factor, i) }
    for i in stride(from: end, to: length, by: laneCount) { unsafe score.store(Lanes(repeating: 0), i) }
  }
}

/// The gradient of ``attentionWeights(_:keys:scale:isCausal:from:)``: turns that of the weights into that of the scores,
/// `weight · (gradient − Σ weight · gradient) · scale`, the sum over the row.
///
/// `gradient`, which is overwritten, and `weights` are [queries, wholeVectors(keys)].
public func attentionWeightsGradient(
  _ gradient: Buffer<Float>, weights: Buffer<Float>, keys: Int, scale: Float
) {
  let length = wholeVectors(keys)
  precondition(
    keys >= 1 && gradient.count % length == 0 && weights.count == gradient.count,
    "attention's gradient over \(keys) keys: counts do not fit")
  let numbers = laneNumbers()
  let (zero, scales) = (Lanes(repeating: 0), Lanes(repeating: scale))
  for row in 0..<gradient.count / length {
    let d = unsafe gradient.base + row * length
    let w = unsafe UnsafePointer(weights.base) + row * length
    var sum = zero
    for i in stride(from: 0, to: length, by: laneCount) {
      let product = unsafe w.lanes(i) * d.lanes(i)
      sum += product.replacing(with: zero, where: numbers .>= Lanes(repeating: Float(keys - i)))
    }
    let mean = Lanes(repeating: sum.total())
    for i in stride(from: 0, to: length, by: laneCount) {
      unsafe d.store(w.lanes(i) * (d.lanes(i) - mean) * scales, i)
    }
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
