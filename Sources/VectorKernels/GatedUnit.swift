// The gated activation unit of WaveNet (van den Oord et al. 2016), forward and backward. A row of gates has the filter's sums and then the
// gate's, `width` floats each. A value's bits do not depend on its place (forEachVector).
//
// Legend: a the filter's sum · b the gate's sum · d… the gradient of …

import Primitives
import Vectors

/// `output = tanh(a + bias) · sigmoid(b + bias)`.
///
/// `gates` [rows, 2 · width] holds the sums a, b and receives tanh(a + bias), sigmoid(b + bias), which the gradient needs; `bias` is
/// [2 · width]; `output` is [rows, width].
public func gatedUnit(_ gates: Buffer<Float>, bias: Buffer<Float>, into output: Buffer<Float>) {
  let width = bias.count / 2
  let rows = output.count / width
  precondition(
    bias.count == 2 * width && output.count == rows * width && gates.count == 2 * output.count,
    "a gated unit: counts do not fit")
  let c = unsafe UnsafePointer(bias.base)
  for row in 0..<rows {
    let a = unsafe gates.base + row * 2 * width
    let z = unsafe output.base + row * width
    @inline(__always)
    func vector(_ u: Int, _ count: Int) {
      let second = width + u
      let filter = unsafe (a.lanes(u, first: count) + c.lanes(u, first: count)).tanh()
      let gate = unsafe (a.lanes(second, first: count) + c.lanes(second, first: count)).sigmoid()
      unsafe a.store(filter, u, first: count)
      unsafe a.store(gate, second, first: count)
      unsafe z.store(filter * gate, u, first: count)
    }
    forEachVector(of: width, vector)
  }
}

/// The gradient of ``gatedUnit(_:bias:into:)``, and its output once more, t · s of its gates t, s:
///
///     da = d · s · (1 − t²),  db = d · t · s · (1 − s)
///
/// `outputGradient` and `output` are [rows, width], `gates` and `sumsGradient`, which receives da, db, [rows, 2 · width].
public func gatedUnitGradient(
  _ outputGradient: Buffer<Float>, gates: Buffer<Float>, output: Buffer<Float>, into sumsGradient: Buffer<Float>,
  width: Int
) {
  let rows = output.count / width
  precondition(
    output.count == rows * width && outputGradient.count == output.count && gates.count == 2 * output.count
      && sumsGradient.count == gates.count, "a gated unit's gradient: counts do not fit")
  let one = Lanes(repeating: 1)
  for row in 0..<rows {
    let a = unsafe UnsafePointer(gates.base) + row * 2 * width
    let d = unsafe UnsafePointer(outputGradient.base) + row * width
    let z = unsafe output.base + row * width
    let da = unsafe sumsGradient.base + row * 2 * width
    @inline(__always)
    func vector(_ u: Int, _ count: Int) {
      let second = width + u
      let (t, s) = unsafe (a.lanes(u, first: count), a.lanes(second, first: count))
      let gradient = unsafe d.lanes(u, first: count)
      let product = t * s
      unsafe z.store(product, u, first: count)
      unsafe da.store(gradient * s * (one - t * t), u, first: count)
      unsafe da.store(gradient * product * (one - s), second, first: count)
    }
    forEachVector(of: width, vector)
  }
}
