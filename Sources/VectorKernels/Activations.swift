// Activations by vectors. An element's bits do not depend on its place: the rest behind whole vectors is computed as one (forEachVector).

import Primitives
import Vectors

/// `output[i] = tanh(input[i])`. Same count.
public func tanh(_ input: Buffer<Float>, into output: Buffer<Float>) {
  precondition(input.count == output.count, "tanh of \(input.count) elements into \(output.count)")
  let x = unsafe UnsafePointer(input.base)
  let y = unsafe output.base
  @inline(__always)
  func vector(_ i: Int, _ width: Int) {
    unsafe y.store(x.lanes(i, first: width).tanh(), i, first: width)
  }
  forEachVector(of: input.count, vector)
}

/// tanh's gradient from its output y: `inputGradient = outputGradient · (1 − y²)`. Same count.
public func tanhGradient(_ outputGradient: Buffer<Float>, output: Buffer<Float>, into inputGradient: Buffer<Float>) {
  precondition(
    outputGradient.count == output.count && output.count == inputGradient.count, "tanh's gradient: different counts")
  let g = unsafe UnsafePointer(outputGradient.base)
  let y = unsafe UnsafePointer(output.base)
  let d = unsafe inputGradient.base
  let one = Lanes(repeating: 1)
  @inline(__always)
  func vector(_ i: Int, _ width: Int) {
    let y = unsafe y.lanes(i, first: width)
    unsafe d.store(g.lanes(i, first: width) * (one - y * y), i, first: width)
  }
  forEachVector(of: output.count, vector)
}

/// SiLU: `output[i] = x · sigmoid(x)`, x = `input[i]`. Same count.
public func silu(_ input: Buffer<Float>, into output: Buffer<Float>) {
  precondition(input.count == output.count, "SiLU of \(input.count) elements into \(output.count)")
  let x = unsafe UnsafePointer(input.base)
  let y = unsafe output.base
  @inline(__always)
  func vector(_ i: Int, _ width: Int) {
    let x = unsafe x.lanes(i, first: width)
    unsafe y.store(x * x.sigmoid(), i, first: width)
  }
  forEachVector(of: input.count, vector)
}

/// SiLU's gradient: `inputGradient = outputGradient · s · (1 + x · (1 − s))`, x = `input[i]`, s = sigmoid(x). Same count.
public func siluGradient(_ outputGradient: Buffer<Float>, input: Buffer<Float>, into inputGradient: Buffer<Float>) {
  precondition(
    outputGradient.count == input.count && input.count == inputGradient.count, "SiLU's gradient: different counts")
  let g = unsafe UnsafePointer(outputGradient.base)
  let x = unsafe UnsafePointer(input.base)
  let d = unsafe inputGradient.base
  let one = Lanes(repeating: 1)
  @inline(__always)
  func vector(_ i: Int, _ width: Int) {
    let x = unsafe x.lanes(i, first: width)
    let s = x.sigmoid()
    unsafe d.store(g.lanes(i, first: width) * (s * one.addingProduct(x, one - s)), i, first: width)
  }
  forEachVector(of: input.count, vector)
}

/// GELU in its approximation by tanh: `output[i] = x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`, x = `input[i]`. Same count.
///
/// Worked out as x · sigmoid(2√(2/π) · (x + 0.044715 x³)), which is the same, and on the left has no cancellation.
public func gelu(_ input: Buffer<Float>, into output: Buffer<Float>) {
  precondition(input.count == output.count, "GELU of \(input.count) elements into \(output.count)")
  let x = unsafe UnsafePointer(input.base)
  let y = unsafe output.base
  @inline(__always)
  func vector(_ i: Int, _ width: Int) {
    let x = unsafe x.lanes(i, first: width)
    unsafe y.store(x.gelu(), i, first: width)
  }
  forEachVector(of: input.count, vector)
}

/// GELU's gradient: `inputGradient = outputGradient · (s + x · s · (1 − s) · u′)`, x = `input[i]`, s = sigmoid(u), u = 2√(2/π) · (x + 0.044715
/// x³). Same count.
public func geluGradient(_ outputGradient: Buffer<Float>, input: Buffer<Float>, into inputGradient: Buffer<Float>) {
  precondition(
    outputGradient.count == input.count && input.count == inputGradient.count, "GELU's gradient: different counts")
  let g = unsafe UnsafePointer(outputGradient.base)
  let x = unsafe UnsafePointer(input.base)
  let d = unsafe inputGradient.base
  let (slope, cube) = (Lanes(repeating: geluSlope), Lanes(repeating: 3 * geluCube))
  let one = Lanes(repeating: 1)
  @inline(__always)
  func vector(_ i: Int, _ width: Int) {
    let x = unsafe x.lanes(i, first: width)
    let square = x * x
    let s = geluArgument(x, square).sigmoid()
    let change = x * (s * (one - s)) * slope.addingProduct(cube, square)
    unsafe d.store(g.lanes(i, first: width) * (s + change), i, first: width)
  }
  forEachVector(of: input.count, vector)
}
