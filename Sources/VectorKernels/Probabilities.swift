import Glibc
import Primitives

/// Writes the softmax of each row of `logits` [rows, classes] to `probabilities`: exp(xⱼ − max) / Σ exp(xₖ − max). A
/// row with an infinite or NaN logit becomes NaN, which the loss then shows.
public func softmax(_ logits: Buffer<Float>, into probabilities: Buffer<Float>, classes: Int) {
  precondition(logits.count == probabilities.count && logits.count % classes == 0, "softmax of \(logits.count) floats")
  for row in stride(from: 0, to: logits.count, by: classes) {
    var largest = -Float.infinity
    for j in row..<row + classes { largest = max(largest, logits[j]) }
    var total: Float = 0
    for j in row..<row + classes {
      let value = expf(logits[j] - largest)
      probabilities[j] = value
      total += value
    }
    for j in row..<row + classes { probabilities[j] /= total }
  }
}

/// log Σ exp(xⱼ) of one row, without overflow.
public func logSumExp(_ row: Buffer<Float>) -> Float {
  var largest = -Float.infinity
  for j in 0..<row.count { largest = max(largest, row[j]) }
  var total: Float = 0
  for j in 0..<row.count { total += expf(row[j] - largest) }
  return largest + logf(total)
}

/// eˣ.
public func exponential(_ x: Float) -> Float { expf(x) }

/// The logistic function 1 / (1 + e⁻ˣ), which neither overflows nor loses its small values on the left.
public func sigmoid(_ x: Float) -> Float {
  if x >= 0 { return 1 / (1 + expf(-x)) }
  let e = expf(x)
  return e / (1 + e)
}

/// log(1 + eˣ) without overflow: max(x, 0) + log1p(e^−|x|).
public func softplus(_ x: Float) -> Float { max(x, 0) + log1pf(expf(-abs(x))) }

/// ``sigmoid(_:)`` of every element.
public func sigmoid(_ input: Buffer<Float>, into output: Buffer<Float>) {
  precondition(input.count == output.count, "sigmoid of \(input.count) elements into \(output.count)")
  for i in 0..<input.count { output[i] = sigmoid(input[i]) }
}

/// Sigmoid's gradient from its output y: `inputGradient = outputGradient · y · (1 − y)`.
public func sigmoidGradient(
  _ outputGradient: Buffer<Float>, output: Buffer<Float>, into inputGradient: Buffer<Float>
) {
  precondition(
    outputGradient.count == output.count && output.count == inputGradient.count, "sigmoid's gradient: different counts")
  for i in 0..<output.count { inputGradient[i] = outputGradient[i] * output[i] * (1 - output[i]) }
}
