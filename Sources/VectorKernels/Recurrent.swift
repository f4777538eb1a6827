// One step of a recurrent layer: gates and state in one pass over the step's sums, forward and backward. Every buffer holds the rows of
// the step's samples, one behind the other; a row of sums or gates has the gates one behind the other, `units` floats each. A value's
// bits do not depend on its place (forEachVector).
//
// Legend: u unit · a a gate's sum · b bias · h state · c cell · d… the gradient of …

import Primitives
import Vectors

/// A step of an RNN: `state = tanh(sum + bias)`. `sums` and `state` are [samples, units], `bias` [units].
public func rnnForward(_ sums: Buffer<Float>, bias: Buffer<Float>, state: Buffer<Float>) {
  let units = bias.count
  let samples = state.count / units
  precondition(state.count == samples * units && sums.count == state.count, "an RNN's step: counts do not fit")
  let b = unsafe UnsafePointer(bias.base)
  for row in 0..<samples {
    let a = unsafe UnsafePointer(sums.base) + row * units
    let h = unsafe state.base + row * units
    @inline(__always)
    func vector(_ u: Int, _ width: Int) {
      unsafe h.store((a.lanes(u, first: width) + b.lanes(u, first: width)).tanh(), u, first: width)
    }
    forEachVector(of: units, vector)
  }
}

/// A step of an LSTM, gates i, f, g, o:
///
///     i, f, o = sigmoid(sum + bias),  g = tanh(sum + bias)
///     c = f · cBefore + i · g
///     h = o · tanh(c)
///
/// `gates` [samples, 4 · units] holds the sums and receives the gates; `bias` is [4 · units]; `cellBefore`, `cell` and `state` are
/// [samples, units].
public func lstmForward(
  _ gates: Buffer<Float>, bias: Buffer<Float>, cellBefore: Buffer<Float>, cell: Buffer<Float>, state: Buffer<Float>
) {
  let units = bias.count / 4
  let samples = state.count / units
  precondition(
    bias.count == 4 * units && state.count == samples * units && gates.count == 4 * state.count
      && cellBefore.count == state.count && cell.count == state.count, "an LSTM's step: counts do not fit")
  let b = unsafe UnsafePointer(bias.base)
  for row in 0..<samples {
    let a = unsafe gates.base + row * 4 * units
    let before = unsafe UnsafePointer(cellBefore.base) + row * units
    let (c, h) = unsafe (cell.base + row * units, state.base + row * units)
    @inline(__always)
    func vector(_ u: Int, _ width: Int) {
      let (second, third, fourth) = (units + u, 2 * units + u, 3 * units + u)
      let i = unsafe (a.lanes(u, first: width) + b.lanes(u, first: width)).sigmoid()
      let f = unsafe (a.lanes(second, first: width) + b.lanes(second, first: width)).sigmoid()
      let g = unsafe (a.lanes(third, first: width) + b.lanes(third, first: width)).tanh()
      let o = unsafe (a.lanes(fourth, first: width) + b.lanes(fourth, first: width)).sigmoid()
      let next = unsafe (i * g).addingProduct(f, before.lanes(u, first: width))
      unsafe a.store(i, u, first: width)
      unsafe a.store(f, second, first: width)
      unsafe a.store(g, third, first: width)
      unsafe a.store(o, fourth, first: width)
      unsafe c.store(next, u, first: width)
      unsafe h.store(o * next.tanh(), u, first: width)
    }
    forEachVector(of: units, vector)
  }
}

/// The gradient of ``lstmForward(_:bias:cellBefore:cell:state:)``:
///
///     dc += dh · o · (1 − tanh²(c))
///     di = dc · g · i · (1 − i)        df = dc · cBefore · f · (1 − f)
///     dg = dc · i · (1 − g²)           do = dh · tanh(c) · o · (1 − o)
///     dcBefore = dc · f
///
/// `stateGradient` [samples, units] is dh. `cellGradient` [samples, units] holds what later steps give of dc, and receives dcBefore.
/// `sumsGradient` [samples, 4 · units] receives the gradient of the sums.
public func lstmBackward(
  _ gates: Buffer<Float>, cellBefore: Buffer<Float>, cell: Buffer<Float>, stateGradient: Buffer<Float>,
  cellGradient: Buffer<Float>, sumsGradient: Buffer<Float>, units: Int
) {
  let samples = stateGradient.count / units
  precondition(
    stateGradient.count == samples * units && gates.count == 4 * stateGradient.count
      && sumsGradient.count == gates.count && cellBefore.count == stateGradient.count
      && cell.count == stateGradient.count && cellGradient.count == stateGradient.count,
    "an LSTM's gradient: counts do not fit")
  let one = Lanes(repeating: 1)
  for row in 0..<samples {
    let a = unsafe UnsafePointer(gates.base) + row * 4 * units
    let before = unsafe UnsafePointer(cellBefore.base) + row * units
    let c = unsafe UnsafePointer(cell.base) + row * units
    let dh = unsafe UnsafePointer(stateGradient.base) + row * units
    let (dc, da) = unsafe (cellGradient.base + row * units, sumsGradient.base + row * 4 * units)
    @inline(__always)
    func vector(_ u: Int, _ width: Int) {
      let (second, third, fourth) = (units + u, 2 * units + u, 3 * units + u)
      let (i, f) = unsafe (a.lanes(u, first: width), a.lanes(second, first: width))
      let (g, o) = unsafe (a.lanes(third, first: width), a.lanes(fourth, first: width))
      let squashed = unsafe c.lanes(u, first: width).tanh()
      let ofState = unsafe dh.lanes(u, first: width)
      let ofCell = unsafe dc.lanes(u, first: width).addingProduct(ofState * o, one - squashed * squashed)
      unsafe da.store(ofCell * g * (i * (one - i)), u, first: width)
      unsafe da.store(ofCell * before.lanes(u, first: width) * (f * (one - f)), second, first: width)
      unsafe da.store(ofCell * i * (one - g * g), third, first: width)
      unsafe da.store(ofState * squashed * (o * (one - o)), fourth, first: width)
      unsafe dc.store(ofCell * f, u, first: width)
    }
    forEachVector(of: units, vector)
  }
}

/// A step of a GRU, gates r, z, n, which alone has its reset gate behind the product with the state:
///
///     r, z = sigmoid(sum + bias + stateSum),  n = tanh(sum + bias + r · stateSum)
///     h = (1 − z) · n + z · hBefore
///
/// `gates` [samples, 3 · units] holds the sums of the input and receives the gates; `stateSums` [samples, 3 · units] holds those of the
/// state; `bias` is [3 · units]; `candidateSums` [samples, units] receives the state's sums of n, which backward needs; `stateBefore` and
/// `state` are [samples, units].
public func gruForward(
  _ gates: Buffer<Float>, bias: Buffer<Float>, stateSums: Buffer<Float>, candidateSums: Buffer<Float>,
  stateBefore: Buffer<Float>, state: Buffer<Float>
) {
  let units = bias.count / 3
  let samples = state.count / units
  precondition(
    bias.count == 3 * units && state.count == samples * units && gates.count == 3 * state.count
      && stateSums.count == gates.count && candidateSums.count == state.count && stateBefore.count == state.count,
    "a GRU's step: counts do not fit")
  let b = unsafe UnsafePointer(bias.base)
  for row in 0..<samples {
    let a = unsafe gates.base + row * 3 * units
    let s = unsafe UnsafePointer(stateSums.base) + row * 3 * units
    let before = unsafe UnsafePointer(stateBefore.base) + row * units
    let (kept, h) = unsafe (candidateSums.base + row * units, state.base + row * units)
    @inline(__always)
    func vector(_ u: Int, _ width: Int) {
      let (second, third) = (units + u, 2 * units + u)
      let ofInput = unsafe (
        r: a.lanes(u, first: width) + b.lanes(u, first: width),
        z: a.lanes(second, first: width) + b.lanes(second, first: width),
        n: a.lanes(third, first: width) + b.lanes(third, first: width)
      )
      let ofState = unsafe s.lanes(third, first: width)
      let r = unsafe (ofInput.r + s.lanes(u, first: width)).sigmoid()
      let z = unsafe (ofInput.z + s.lanes(second, first: width)).sigmoid()
      let n = ofInput.n.addingProduct(r, ofState).tanh()
      unsafe a.store(r, u, first: width)
      unsafe a.store(z, second, first: width)
      unsafe a.store(n, third, first: width)
      unsafe kept.store(ofState, u, first: width)
      unsafe h.store(n.addingProduct(z, before.lanes(u, first: width) - n), u, first: width)
    }
    forEachVector(of: units, vector)
  }
}

/// The gradient of ``gruForward(_:bias:stateSums:candidateSums:stateBefore:state:)``:
///
///     dn = dh · (1 − z) · (1 − n²)
///     dr = dn · candidateSum · r · (1 − r)        dz = dh · (hBefore − n) · z · (1 − z)
///     dhBefore = dh · z + what the state's sums give
///
/// `stateGradient` [samples, units] holds dh, and receives dh · z. `sumsGradient` [samples, 3 · units] receives the gradient of the input's
/// sums, dr, dz, dn; `stateSumsGradient` that of the state's sums, which are dr, dz, r · dn.
public func gruBackward(
  _ gates: Buffer<Float>, candidateSums: Buffer<Float>, stateBefore: Buffer<Float>, stateGradient: Buffer<Float>,
  sumsGradient: Buffer<Float>, stateSumsGradient: Buffer<Float>, units: Int
) {
  let samples = stateGradient.count / units
  precondition(
    stateGradient.count == samples * units && gates.count == 3 * stateGradient.count
      && sumsGradient.count == gates.count && stateSumsGradient.count == gates.count
      && candidateSums.count == stateGradient.count && stateBefore.count == stateGradient.count,
    "a GRU's gradient: counts do not fit")
  let one = Lanes(repeating: 1)
  for row in 0..<samples {
    let a = unsafe UnsafePointer(gates.base) + row * 3 * units
    let kept = unsafe UnsafePointer(candidateSums.base) + row * units
    let before = unsafe UnsafePointer(stateBefore.base) + row * units
    let dh = unsafe stateGradient.base + row * units
    let (da, ds) = unsafe (sumsGradient.base + row * 3 * units, stateSumsGradient.base + row * 3 * units)
    @inline(__always)
    func vector(_ u: Int, _ width: Int) {
      let (second, third) = (units + u, 2 * units + u)
      let (r, z) = unsafe (a.lanes(u, first: width), a.lanes(second, first: width))
      let n = unsafe a.lanes(third, first: width)
      let ofState = unsafe dh.lanes(u, first: width)
      let dn = ofState * (one - z) * (one - n * n)
      let dr = unsafe dn * kept.lanes(u, first: width) * (r * (one - r))
      let dz = unsafe ofState * (before.lanes(u, first: width) - n) * (z * (one - z))
      unsafe da.store(dr, u, first: width)
      unsafe da.store(dz, second, first: width)
      unsafe da.store(dn, third, first: width)
      unsafe ds.store(dr, u, first: width)
      unsafe ds.store(dz, second, first: width)
      unsafe ds.store(dn * r, third, first: width)
      unsafe dh.store(ofState * z, u, first: width)
    }
    forEachVector(of: units, vector)
  }
}

/// Turns [outer, inner, width] into [inner, outer, width]: rows in the order of samples into the order of steps, and back.
public func swapAxes(
  _ source: Buffer<Float>, into destination: Buffer<Float>, outer: Int, inner: Int, width: Int
) {
  precondition(
    source.count == outer * inner * width && destination.count == source.count,
    "[\(outer), \(inner), \(width)] of \(source.count) floats into \(destination.count)")
  for i in 0..<outer {
    for j in 0..<inner {
      let (from, to) = unsafe (source.base + (i * inner + j) * width, destination.base + (j * outer + i) * width)
      unsafe to.update(from: from, count: width)
    }
  }
}
