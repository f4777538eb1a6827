// Dense layers of many outputs, for the few rows of a microbatch: OpenBLAS packs the whole weights for each product, which at 32
// rows costs a sixth of it, and clears a gradient before it adds to it. Here forward reads the weights as they lie, lanes along the
// inputs, and the weights' gradient is written once, lanes along the inputs too.
//
// Legend: x [samples, inputs] · w, d [outputs, inputs] · y, g [samples, outputs] · i sample · j output · k input

/// `output[i, j] = bias[j] + Σₖ input[i, k] · weights[j, k]`.
///
/// `inputs` must be a multiple of ``laneCount`` and `outputs` even. A sample's bits do not depend on its neighbours.
public func denseForward(
  _ input: Buffer<Float>, weights: Buffer<Float>, bias: Buffer<Float>, into output: Buffer<Float>, samples: Int
) {
  let outputs = bias.count
  let inputs = weights.count / outputs
  checkDense(samples: samples, inputs: inputs, outputs: outputs, input, weights, output)
  let x = unsafe UnsafePointer(input.base)
  let w = unsafe UnsafePointer(weights.base)
  let b = unsafe UnsafePointer(bias.base)
  let y = unsafe output.base
  // So many rows of weights stay in the second-level cache while all samples pass over them.
  let block = max(2, 24_576 / inputs / 2 * 2)
  for start in stride(from: 0, to: outputs, by: block) {
    var i = 0
    while i < samples {
      let rows = samples - i >= 4 ? 4 : 1
      for j in stride(from: start, to: min(start + block, outputs), by: 2) {
        let (row, pair, at) = unsafe (x + i * inputs, w + j * inputs, y + i * outputs + j)
        if rows == 4 {
          unsafe dotFourByTwo(row, pair, b + j, at, inputs, outputs)
        } else {
          unsafe dotOneByTwo(row, pair, b + j, at, inputs)
        }
      }
      i += rows
    }
  }
}

/// Four samples by two outputs: eight sums hide the latency of the multiply-add, six loads feed eight products.
@inline(__always)
private func dotFourByTwo(
  _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
  _ inputs: Int, _ outputs: Int
) {
  let zero = Lanes(repeating: 0)
  var a00 = zero
  var a01 = zero
  var a10 = zero
  var a11 = zero
  var a20 = zero
  var a21 = zero
  var a30 = zero
  var a31 = zero
  for k in stride(from: 0, to: inputs, by: laneCount) {
    let w0 = unsafe w.lanes(k)
    let w1 = unsafe w.lanes(inputs + k)
    let x0 = unsafe x.lanes(k)
    a00 = a00.addingProduct(x0, w0)
    a01 = a01.addingProduct(x0, w1)
    let x1 = unsafe x.lanes(inputs + k)
    a10 = a10.addingProduct(x1, w0)
    a11 = a11.addingProduct(x1, w1)
    let x2 = unsafe x.lanes(2 * inputs + k)
    a20 = a20.addingProduct(x2, w0)
    a21 = a21.addingProduct(x2, w1)
    let x3 = unsafe x.lanes(3 * inputs + k)
    a30 = a30.addingProduct(x3, w0)
    a31 = a31.addingProduct(x3, w1)
  }
  unsafe y[0] = bias[0] + a00.total()
  unsafe y[1] = bias[1] + a01.total()
  unsafe y[outputs] = bias[0] + a10.total()
  unsafe y[outputs + 1] = bias[1] + a11.total()
  unsafe y[2 * outputs] = bias[0] + a20.total()
  unsafe y[2 * outputs + 1] = bias[1] + a21.total()
  unsafe y[3 * outputs] = bias[0] + a30.total()
  unsafe y[3 * outputs + 1] = bias[1] + a31.total()
}

@inline(__always)
private func dotOneByTwo(
  _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
  _ inputs: Int
) {
  var a0 = Lanes(repeating: 0)
  var a1 = a0
  for k in stride(from: 0, to: inputs, by: laneCount) {
    let x0 = unsafe x.lanes(k)
    unsafe a0 = a0.addingProduct(x0, w.lanes(k))
    unsafe a1 = a1.addingProduct(x0, w.lanes(inputs + k))
  }
  unsafe y[0] = bias[0] + a0.total()
  unsafe y[1] = bias[1] + a1.total()
}

/// `weightsGradient[j, k] (+)= Σᵢ gradient[i, j] · input[i, k]` and `biasGradient[j] (+)= Σᵢ gradient[i, j]`, each sum complete before it
/// is written or added.
///
/// `inputs` must be a multiple of ``laneCount`` and `outputs` of 4. `scratch` holds `samples · (2 · laneCount + outputs)` floats.
public func denseWeightsGradient(
  _ gradient: Buffer<Float>, input: Buffer<Float>, into weightsGradient: Buffer<Float>,
  bias biasGradient: Buffer<Float>, samples: Int, scratch: Buffer<Float>, _ accumulation: Accumulation
) {
  let outputs = biasGradient.count
  let inputs = weightsGradient.count / outputs
  let panel = 2 * laneCount
  checkDense(samples: samples, inputs: inputs, outputs: outputs, input, weightsGradient, gradient)
  precondition(outputs % 4 == 0, "a dense gradient of [\(outputs), \(inputs)]")
  precondition(scratch.count >= samples * (panel + outputs), "scratch of \(scratch.count) floats is too small")
  // Rows that are a power of two apart fall into the same few places of a cache: what the inner loop reads is laid side by side.
  let x = unsafe scratch.base
  let g = unsafe scratch.base + samples * panel
  for j in stride(from: 0, to: outputs, by: 4) {
    for i in 0..<samples {
      let four = unsafe UnsafeRawPointer(gradient.base + i * outputs + j).loadUnaligned(as: SIMD4<Float>.self)
      unsafe UnsafeMutableRawPointer(g + (j * samples + i * 4)).storeBytes(of: four, as: SIMD4<Float>.self)
    }
  }
  let paired = inputs / panel * panel
  for k in stride(from: 0, to: paired, by: panel) {
    for i in 0..<samples {
      let row = unsafe UnsafePointer(input.base) + i * inputs + k
      unsafe x.store(row.lanes(0), i * panel)
      unsafe x.store(row.lanes(laneCount), i * panel + laneCount)
    }
    for j in stride(from: 0, to: outputs, by: 4) {
      unsafe outerFourByTwo(x, g + j * samples, weightsGradient.base + j * inputs + k, samples, inputs, accumulation)
    }
  }
  if paired < inputs {
    // The odd vector at the end of an odd number of them.
    for j in stride(from: 0, to: outputs, by: 4) {
      unsafe outerFourByOne(
        input.base + paired, g + j * samples, weightsGradient.base + j * inputs + paired, samples, inputs, accumulation)
    }
  }
  columnSums(gradient, into: biasGradient, accumulation)
}

/// Four outputs by two vectors of inputs, in eight registers over all samples.
@inline(__always)
private func outerFourByTwo(
  _ x: UnsafePointer<Float>, _ g: UnsafePointer<Float>, _ d: UnsafeMutablePointer<Float>, _ samples: Int, _ inputs: Int,
  _ accumulation: Accumulation
) {
  let zero = Lanes(repeating: 0)
  var a00 = zero
  var a01 = zero
  var a10 = zero
  var a11 = zero
  var a20 = zero
  var a21 = zero
  var a30 = zero
  var a31 = zero
  var row = unsafe x
  var column = unsafe g
  for _ in 0..<samples {
    let x0 = unsafe row.lanes(0)
    let x1 = unsafe row.lanes(laneCount)
    let g0 = unsafe column.broadcast(0)
    a00 = a00.addingProduct(x0, g0)
    a01 = a01.addingProduct(x1, g0)
    let g1 = unsafe column.broadcast(1)
    a10 = a10.addingProduct(x0, g1)
    a11 = a11.addingProduct(x1, g1)
    let g2 = unsafe column.broadcast(2)
    a20 = a20.addingProduct(x0, g2)
    a21 = a21.addingProduct(x1, g2)
    let g3 = unsafe column.broadcast(3)
    a30 = a30.addingProduct(x0, g3)
    a31 = a31.addingProduct(x1, g3)
    unsafe row += 2 * laneCount
    unsafe column += 4
  }
  unsafe write(a00, a01, d, accumulation)
  unsafe write(a10, a11, d + inputs, accumulation)
  unsafe write(a20, a21, d + 2 * inputs, accumulation)
  unsafe write(a30, a31, d + 3 * inputs, accumulation)
}

/// Four outputs by one vector of inputs, read where they lie: each sum the same chain as ``outerFourByTwo`` makes.
private func outerFourByOne(
  _ x: UnsafePointer<Float>, _ g: UnsafePointer<Float>, _ d: UnsafeMutablePointer<Float>, _ samples: Int, _ inputs: Int,
  _ accumulation: Accumulation
) {
  var a0 = Lanes(repeating: 0)
  var a1 = a0
  var a2 = a0
  var a3 = a0
  for i in 0..<samples {
    let x0 = unsafe x.lanes(i * inputs)
    let column = unsafe g + 4 * i
    unsafe a0 = a0.addingProduct(x0, column.broadcast(0))
    unsafe a1 = a1.addingProduct(x0, column.broadcast(1))
    unsafe a2 = a2.addingProduct(x0, column.broadcast(2))
    unsafe a3 = a3.addingProduct(x0, column.broadcast(3))
  }
  if accumulation == .add {
    unsafe a0 += d.lanes(0)
    unsafe a1 += d.lanes(inputs)
    unsafe a2 += d.lanes(2 * inputs)
    unsafe a3 += d.lanes(3 * inputs)
  }
  unsafe d.store(a0, 0)
  unsafe d.store(a1, inputs)
  unsafe d.store(a2, 2 * inputs)
  unsafe d.store(a3, 3 * inputs)
}
