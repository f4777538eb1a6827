import Primitives
import Vectors

/// `destination[i] += source[i]`. Same count. One rounding an element.
public func add(_ source: Buffer<Float>, into destination: Buffer<Float>) {
  sum(destination, source, into: destination)
}

/// Writes `source` to `destination`, or adds it: a sum that is complete. Same count.
public func accumulate(_ source: Buffer<Float>, into destination: Buffer<Float>, _ accumulation: Accumulation) {
  switch accumulation {
  case .replace: destination.copy(from: source)
  case .add: add(source, into: destination)
  }
}

/// `destination[i] = left[i] + right[i]`. Same count; `destination` may be either operand.
public func sum(_ left: Buffer<Float>, _ right: Buffer<Float>, into destination: Buffer<Float>) {
  precondition(left.count == right.count && right.count == destination.count, "sum of buffers of different counts")
  let a = unsafe UnsafePointer(left.base)
  let b = unsafe UnsafePointer(right.base)
  let c = unsafe destination.base
  let whole = left.count / laneCount * laneCount
  for i in stride(from: 0, to: whole, by: laneCount) {
    unsafe c.store(a.lanes(i) + b.lanes(i), i)
  }
  for i in whole..<left.count { unsafe c[i] = a[i] + b[i] }
}

/// ReLU of a sum: `destination[i] = max(left[i] + right[i], 0)`; a NaN stays one. Same count.
public func rectifiedSum(_ left: Buffer<Float>, _ right: Buffer<Float>, into destination: Buffer<Float>) {
  precondition(left.count == right.count && right.count == destination.count, "sum of buffers of different counts")
  let a = unsafe UnsafePointer(left.base)
  let b = unsafe UnsafePointer(right.base)
  let c = unsafe destination.base
  let zero = Lanes(repeating: 0)
  forEachVector(of: left.count) { i, width in
    unsafe c.prefetchToWrite(after: i, of: left.count)
    let value = unsafe a.lanes(i, first: width) + b.lanes(i, first: width)
    unsafe c.store(value.replacing(with: zero, where: value .< zero), i, first: width)
  }
}

/// ``sum(_:_:into:)`` that returns whether every result is finite (``allFinite(_:)``): a pass over memory less.
public func sumIsFinite(_ left: Buffer<Float>, _ right: Buffer<Float>, into destination: Buffer<Float>) -> Bool {
  precondition(left.count == right.count && right.count == destination.count, "sum of buffers of different counts")
  let a = unsafe UnsafePointer(left.base)
  let b = unsafe UnsafePointer(right.base)
  let c = unsafe destination.base
  let whole = left.count / (2 * laneCount) * (2 * laneCount)
  var (even, odd) = (Lanes(repeating: 0), Lanes(repeating: 0))
  for i in stride(from: 0, to: whole, by: 2 * laneCount) {
    let first = unsafe a.lanes(i) + b.lanes(i)
    let second = unsafe a.lanes(i + laneCount) + b.lanes(i + laneCount)
    unsafe c.store(first, i)
    unsafe c.store(second, i + laneCount)
    even += first - first
    odd += second - second
  }
  var rest = (even + odd).total()
  for i in whole..<left.count {
    let result = unsafe a[i] + b[i]
    unsafe c[i] = result
    rest += result - result
  }
  return rest == 0
}

/// `destination[i] = left[i] · right[i]`. Same count; `destination` may be either operand.
public func product(_ left: Buffer<Float>, _ right: Buffer<Float>, into destination: Buffer<Float>) {
  precondition(left.count == right.count && right.count == destination.count, "product of buffers of different counts")
  let a = unsafe UnsafePointer(left.base)
  let b = unsafe UnsafePointer(right.base)
  let c = unsafe destination.base
  let whole = left.count / laneCount * laneCount
  for i in stride(from: 0, to: whole, by: laneCount) { unsafe c.store(a.lanes(i) * b.lanes(i), i) }
  for i in whole..<left.count { unsafe c[i] = a[i] * b[i] }
}

/// `destination[i] *= factor`.
public func scale(_ destination: Buffer<Float>, by factor: Float) {
  let c = unsafe destination.base
  let whole = destination.count / laneCount * laneCount
  let factors = Lanes(repeating: factor)
  for i in stride(from: 0, to: whole, by: laneCount) { unsafe c.store(c.lanes(i) * factors, i) }
  for i in whole..<destination.count { unsafe c[i] *= factor }
}

/// `destination[j] = Σ factors[i] · rows[i, j]`, in the order of the rows: of a row-major matrix of `destination.count` columns.
public func weightedSum(ofRows rows: Buffer<Float>, _ factors: Buffer<Float>, into destination: Buffer<Float>) {
  let columns = destination.count
  precondition(rows.count == factors.count * columns, "a sum of \(factors.count) rows of \(rows.count) elements in all")
  let x = unsafe UnsafePointer(rows.base)
  let f = unsafe UnsafePointer(factors.base)
  let y = unsafe destination.base
  let whole = columns / (8 * laneCount) * (8 * laneCount)
  for at in stride(from: 0, to: whole, by: 8 * laneCount) {
    var sums = Registers<8>()
    for row in 0..<factors.count { unsafe sums.addProducts(x + row * columns + at, f.broadcast(row)) }
    unsafe sums.store(to: y + at)
  }
  forEachVector(of: columns - whole) { offset, width in
    let at = whole + offset
    var sum = Lanes(repeating: 0)
    for row in 0..<factors.count {
      sum = unsafe sum.addingProduct(f.broadcast(row), x.lanes(row * columns + at, first: width))
    }
    unsafe y.store(sum, at, first: width)
  }
}

/// ReLU: `output[i] = max(input[i], 0)`; a NaN stays one.
public func rectify(_ input: Buffer<Float>, into output: Buffer<Float>) {
  precondition(input.count == output.count, "ReLU of \(input.count) elements into \(output.count)")
  let x = unsafe UnsafePointer(input.base)
  let y = unsafe output.base
  let zero = Lanes(repeating: 0)
  let whole = input.count / laneCount * laneCount
  for i in stride(from: 0, to: whole, by: laneCount) {
    let value = unsafe x.lanes(i)
    unsafe y.store(value.replacing(with: zero, where: value .< zero), i)
  }
  for i in whole..<input.count { unsafe y[i] = x[i] < 0 ? 0 : x[i] }
}

/// ReLU's gradient: `inputGradient[i] = output[i] > 0 ? outputGradient[i] : 0`, so that ReLU′(0) = 0 as in PyTorch and Keras.
public func rectifyGradient(
  _ outputGradient: Buffer<Float>, output: Buffer<Float>, into inputGradient: Buffer<Float>
) {
  precondition(
    outputGradient.count == output.count && output.count == inputGradient.count, "ReLU's gradient: different counts")
  let g = unsafe UnsafePointer(outputGradient.base)
  let y = unsafe UnsafePointer(output.base)
  let d = unsafe inputGradient.base
  let zero = Lanes(repeating: 0)
  let whole = output.count / laneCount * laneCount
  for i in stride(from: 0, to: whole, by: laneCount) {
    unsafe d.prefetchToWrite(after: i, of: whole)
    unsafe d.store(zero.replacing(with: g.lanes(i), where: y.lanes(i) .> zero), i)
  }
  for i in whole..<output.count { unsafe d[i] = y[i] > 0 ? g[i] : 0 }
}

/// `rows[r, c] += bias[c]` for the row-major matrix `rows` of `bias.count` columns.
public func addBias(_ bias: Buffer<Float>, toRowsOf rows: Buffer<Float>) {
  precondition(rows.count % bias.count == 0, "bias of \(bias.count) on rows of \(rows.count) elements")
  for row in 0..<rows.count / bias.count {
    add(bias, into: rows[row * bias.count..<(row + 1) * bias.count])
  }
}

/// Column sums of the row-major matrix `rows`: a bias' gradient. `sums` has one element a column.
public func columnSums(_ rows: Buffer<Float>, into sums: Buffer<Float>, _ accumulation: Accumulation) {
  let columns = sums.count
  precondition(rows.count % columns == 0, "column sums of \(rows.count) elements into \(columns) columns")
  let r = unsafe UnsafePointer(rows.base)
  let s = unsafe sums.base
  let rowCount = rows.count / columns
  let whole = columns / laneCount * laneCount
  // Some vectors at a time: a row is read once, or in a few goes.
  let wide = whole / (4 * laneCount) * (4 * laneCount)
  for c in stride(from: 0, to: wide, by: 4 * laneCount) {
    var totals = Registers<4>()
    var row = unsafe r + c
    for _ in 0..<rowCount {
      for index in 0..<4 { totals[index] += unsafe row.lanes(index &* laneCount) }
      unsafe row += columns
    }
    for index in 0..<4 {
      let at = c &+ index &* laneCount
      unsafe s.store(accumulation == .add ? totals[index] + s.lanes(at) : totals[index], at)
    }
  }
  for c in stride(from: wide, to: whole, by: laneCount) {
    var total = Lanes(repeating: 0)
    for row in 0..<rowCount { total += unsafe r.lanes(row * columns + c) }
    if accumulation == .add { unsafe total += s.lanes(c) }
    unsafe s.store(total, c)
  }
  for c in whole..<columns {
    var total: Float = 0
    for row in 0..<rowCount { total += unsafe r[row * columns + c] }
    unsafe s[c] = accumulation == .add ? s[c] + total : total
  }
}

/// Whether every element is finite: one pass, no branch an element.
public func allFinite(_ values: Buffer<Float>) -> Bool {
  // x − x is 0 for a finite x and NaN for any other; NaN survives the sum. Four sums, because an addition takes four
  // cycles.
  let x = unsafe UnsafePointer(values.base)
  let whole = values.count / (4 * laneCount) * (4 * laneCount)
  var (a, b, c, d) = (Lanes(repeating: 0), Lanes(repeating: 0), Lanes(repeating: 0), Lanes(repeating: 0))
  for i in stride(from: 0, to: whole, by: 4 * laneCount) {
    let values = unsafe (
      x.lanes(i), x.lanes(i + laneCount), x.lanes(i + 2 * laneCount), x.lanes(i + 3 * laneCount)
    )
    a += values.0 - values.0
    b += values.1 - values.1
    c += values.2 - values.2
    d += values.3 - values.3
  }
  var rest = ((a + b) + (c + d)).total()
  for i in whole..<values.count { unsafe rest += x[i] - x[i] }
  return rest == 0
}

/// Σ `values[i]`², in Double, which holds the square of a float exactly: the order of additions is fixed by the count alone.
public func sumOfSquares(_ values: Buffer<Float>) -> Double {
  let x = unsafe UnsafePointer(values.base)
  let whole = values.count / 16 * 16
  var (a, b) = (SIMD8<Double>(repeating: 0), SIMD8<Double>(repeating: 0))
  for i in stride(from: 0, to: whole, by: 16) {
    let low = unsafe doubles(UnsafeRawPointer(x + i).loadUnaligned(as: SIMD8<Float>.self))
    let high = unsafe doubles(UnsafeRawPointer(x + i + 8).loadUnaligned(as: SIMD8<Float>.self))
    a += low * low
    b += high * high
  }
  var total = (a + b).sum()
  for i in whole..<values.count { unsafe total += Double(x[i]) * Double(x[i]) }
  return total
}
