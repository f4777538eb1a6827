// Layer normalisation of the rows of a matrix, forward and backward. A row's bits do not depend on the other rows.
//
// Legend: x input · y output · s scale · b shift · m mean · r 1 / deviation · n (x − m) · r · g the gradient of y

import Primitives
import Vectors

/// `y = (x − m) · r · scale + shift` of each row of `input` [rows, width], m its mean and r = 1 / √(variance + epsilon), the variance
/// being the mean of (x − m)².
///
/// `output` is [rows, width], `scale` and `shift` [width]; `means` and `inverseDeviations` [rows] receive m and r, which backward needs.
public func layerNorm(
  _ input: Buffer<Float>, scale: Buffer<Float>, shift: Buffer<Float>, epsilon: Float, into output: Buffer<Float>,
  means: Buffer<Float>, inverseDeviations: Buffer<Float>
) {
  let width = scale.count
  precondition(
    shift.count == width && input.count == means.count * width && output.count == input.count
      && inverseDeviations.count == means.count, "layer normalisation of \(input.count) floats: counts do not fit")
  let (s, b) = unsafe (UnsafePointer(scale.base), UnsafePointer(shift.base))
  let (inputs, outputs) = unsafe (UnsafePointer(input.base), output.base)
  let (ms, rs) = unsafe (means.base, inverseDeviations.base)
  for row in 0..<means.count {
    let x = unsafe inputs + row * width
    let y = unsafe outputs + row * width
    @inline(__always)
    func value(_ i: Int, _ count: Int) -> Lanes { unsafe x.lanes(i, first: count) }
    let mean = sumOfVectors(of: width, value) / Float(width)
    let m = Lanes(repeating: mean)
    // Behind a row's end the lanes of what is loaded are 0, and those of x − m are not: the rest is squared as it is read again.
    @inline(__always)
    func squareDifference(_ i: Int, _ count: Int) -> Lanes {
      let difference = unsafe x.lanes(i, first: count) - m
      unsafe y.store(difference, i, first: count)
      let stored = count == laneCount ? difference : unsafe y.lanes(i, first: count)
      return stored * stored
    }
    let inverseDeviation = 1 / (sumOfVectors(of: width, squareDifference) / Float(width) + epsilon).squareRoot()
    let r = Lanes(repeating: inverseDeviation)
    @inline(__always)
    func scaleAndShift(_ i: Int, _ count: Int) {
      let normalised = unsafe y.lanes(i, first: count) * r
      unsafe y.store(b.lanes(i, first: count).addingProduct(normalised, s.lanes(i, first: count)), i, first: count)
    }
    forEachVector(of: width, scaleAndShift)
    unsafe ms[row] = mean
    unsafe rs[row] = inverseDeviation
  }
}

/// The gradients of ``layerNorm(_:scale:shift:epsilon:into:means:inverseDeviations:)``:
///
///     dscale = Σ g · n,  dshift = Σ g, over the rows
///     dx = r · (g · s − mean(g · s) − n · mean(g · s · n)), means over the row
///
/// `scaleGradient` and `shiftGradient` [width] receive the complete sums; `inputGradient` [rows, width] may be nil.
///
/// - Parameter other: what `inputGradient` has of another way around, [rows, width]: it is added last. nil for nothing.
public func layerNormGradient(
  _ outputGradient: Buffer<Float>, input: Buffer<Float>, scale: Buffer<Float>, means: Buffer<Float>,
  inverseDeviations: Buffer<Float>, scaleGradient: Buffer<Float>, shiftGradient: Buffer<Float>,
  adding other: Buffer<Float>? = nil, into inputGradient: Buffer<Float>?
) {
  let width = scale.count
  precondition(
    input.count == means.count * width && outputGradient.count == input.count
      && inverseDeviations.count == means.count && scaleGradient.count == width && shiftGradient.count == width
      && (inputGradient?.count ?? input.count) == input.count && (other?.count ?? input.count) == input.count,
    "layer normalisation's gradient: counts do not fit")
  scaleGradient.fill(0)
  shiftGradient.fill(0)
  let s = unsafe UnsafePointer(scale.base)
  let (ds, db) = unsafe (scaleGradient.base, shiftGradient.base)
  let (gradients, inputs) = unsafe (UnsafePointer(outputGradient.base), UnsafePointer(input.base))
  let (ms, rs) = unsafe (means.base, inverseDeviations.base)
  let (inputGradients, others) = unsafe (inputGradient.map { unsafe $0.base }, other.map { unsafe $0.base })
  for row in 0..<means.count {
    let g = unsafe gradients + row * width
    let x = unsafe inputs + row * width
    let (m, r) = unsafe (Lanes(repeating: ms[row]), Lanes(repeating: rs[row]))
    @inline(__always)
    func normalised(_ i: Int, _ count: Int) -> Lanes { unsafe (x.lanes(i, first: count) - m) * r }
    // Behind the row's end g is 0, and with it each term.
    var (sum, slopes) = (Lanes(repeating: 0), Lanes(repeating: 0))
    forEachVector(of: width) { i, count in
      let (own, normalised) = unsafe (g.lanes(i, first: count), normalised(i, count))
      unsafe ds.store(ds.lanes(i, first: count).addingProduct(own, normalised), i, first: count)
      unsafe db.store(db.lanes(i, first: count) + own, i, first: count)
      let scaled = unsafe own * s.lanes(i, first: count)
      sum += scaled
      slopes += scaled * normalised
    }
    guard let inputGradients = unsafe inputGradients else { continue }
    let d = unsafe inputGradients + row * width
    let (mean, slope) = (Lanes(repeating: sum.total() / Float(width)), Lanes(repeating: slopes.total() / Float(width)))
    @inline(__always)
    func gradient(_ i: Int, _ count: Int) -> Lanes {
      unsafe (g.lanes(i, first: count) * s.lanes(i, first: count) - mean - normalised(i, count) * slope) * r
    }
    if let others = unsafe others {
      let o = unsafe others + row * width
      forEachVector(of: width) { i, count in
        unsafe d.store(gradient(i, count) + o.lanes(i, first: count), i, first: count)
      }
    } else {
      forEachVector(of: width) { i, count in unsafe d.store(gradient(i, count), i, first: count) }
    }
  }
}

/// The sum of the vectors that `term` gives for `count` floats, each with its offset and its floats, whose other lanes must be 0.
@inline(__always)
private func sumOfVectors(of count: Int, _ term: (_ offset: Int, _ width: Int) -> Lanes) -> Float {
  var sum = Lanes(repeating: 0)
  let whole = count / laneCount * laneCount
  for offset in stride(from: 0, to: whole, by: laneCount) { sum += term(offset, laneCount) }
  if whole < count { sum += term(whole, count - whole) }
  return sum.total()
}
