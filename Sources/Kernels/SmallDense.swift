// Dense layers of few outputs (a classifier's last): sgemm packs more than it multiplies there. Lanes run along the inputs.
//
// Legend: x [samples, inputs] · w [outputs, inputs] · y, g [samples, outputs] · i sample · j output · k input

/// `output[i, j] = bias[j] + Σₖ input[i, k] · weights[j, k]`.
///
/// `inputs` must be a multiple of ``laneCount``. `scratch` holds at least `samples · outputs · laneCount` floats.
public func smallDense(
  _ input: Buffer<Float>, weights: Buffer<Float>, bias: Buffer<Float>, into output: Buffer<Float>,
  samples: Int, scratch: Buffer<Float>
) {
  let outputs = bias.count
  let inputs = weights.count / outputs
  checkDense(samples: samples, inputs: inputs, outputs: outputs, input, weights, output)
  precondition(scratch.count >= samples * outputs * laneCount, "scratch of \(scratch.count) floats is too small")
  let x = unsafe UnsafePointer(input.base)
  let w = unsafe UnsafePointer(weights.base)
  let partial = unsafe scratch.base
  // A block of five rows of weights stays in the first-level cache while all samples pass over it.
  let block = 86 * laneCount
  for start in stride(from: 0, to: inputs, by: block) {
    let range = start..<min(start + block, inputs)
    var j = 0
    while j < outputs {
      let width = outputs - j >= 5 ? 5 : 1
      var i = 0
      while i < samples {
        let sums = unsafe partial + (i * outputs + j) * laneCount
        let row = unsafe x + i * inputs
        let matrix = unsafe w + j * inputs
        if width == 5 && i + 1 < samples {
          unsafe dotFivePair(
            row, matrix, stride: inputs, range, into: sums, sums + outputs * laneCount, isFirst: start == 0)
          i += 2
        } else if width == 5 {
          for output in 0..<5 {
            unsafe dotOne(row, matrix + output * inputs, range, into: sums + output * laneCount, isFirst: start == 0)
          }
          i += 1
        } else {
          unsafe dotOne(row, matrix, range, into: sums, isFirst: start == 0)
          i += 1
        }
      }
      j += width
    }
  }
  for i in 0..<samples {
    for j in 0..<outputs {
      unsafe output.base[i * outputs + j] = bias.base[j] + partial.lanes((i * outputs + j) * laneCount).total()
    }
  }
}

/// Two samples by five outputs: ten sums hide the latency of the multiply-add, seven loads feed ten products. Each sum is the
/// same chain over the inputs as ``dotOne`` makes, so a sample's bits do not depend on its neighbours.
@inline(__always)
private func dotFivePair(
  _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, stride inputs: Int, _ range: Range<Int>,
  into even: UnsafeMutablePointer<Float>, _ odd: UnsafeMutablePointer<Float>, isFirst: Bool
) {
  let zero = Lanes(repeating: 0)
  var a0 = isFirst ? zero : unsafe even.lanes(0 * laneCount)
  var a1 = isFirst ? zero : unsafe even.lanes(1 * laneCount)
  var a2 = isFirst ? zero : unsafe even.lanes(2 * laneCount)
  var a3 = isFirst ? zero : unsafe even.lanes(3 * laneCount)
  var a4 = isFirst ? zero : unsafe even.lanes(4 * laneCount)
  var b0 = isFirst ? zero : unsafe odd.lanes(0 * laneCount)
  var b1 = isFirst ? zero : unsafe odd.lanes(1 * laneCount)
  var b2 = isFirst ? zero : unsafe odd.lanes(2 * laneCount)
  var b3 = isFirst ? zero : unsafe odd.lanes(3 * laneCount)
  var b4 = isFirst ? zero : unsafe odd.lanes(4 * laneCount)
  for k in stride(from: range.lowerBound, to: range.upperBound, by: laneCount) {
    let left = unsafe x.lanes(k)
    let right = unsafe x.lanes(inputs + k)
    let w0 = unsafe w.lanes(k)
    a0 = a0.addingProduct(left, w0)
    b0 = b0.addingProduct(right, w0)
    let w1 = unsafe w.lanes(inputs + k)
    a1 = a1.addingProduct(left, w1)
    b1 = b1.addingProduct(right, w1)
    let w2 = unsafe w.lanes(2 * inputs + k)
    a2 = a2.addingProduct(left, w2)
    b2 = b2.addingProduct(right, w2)
    let w3 = unsafe w.lanes(3 * inputs + k)
    a3 = a3.addingProduct(left, w3)
    b3 = b3.addingProduct(right, w3)
    let w4 = unsafe w.lanes(4 * inputs + k)
    a4 = a4.addingProduct(left, w4)
    b4 = b4.addingProduct(right, w4)
  }
  unsafe even.store(a0, 0 * laneCount)
  unsafe even.store(a1, 1 * laneCount)
  unsafe even.store(a2, 2 * laneCount)
  unsafe even.store(a3, 3 * laneCount)
  unsafe even.store(a4, 4 * laneCount)
  unsafe odd.store(b0, 0 * laneCount)
  unsafe odd.store(b1, 1 * laneCount)
  unsafe odd.store(b2, 2 * laneCount)
  unsafe odd.store(b3, 3 * laneCount)
  unsafe odd.store(b4, 4 * laneCount)
}

@inline(__always)
private func dotOne(
  _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ range: Range<Int>,
  into sums: UnsafeMutablePointer<Float>, isFirst: Bool
) {
  var total = isFirst ? Lanes(repeating: 0) : unsafe sums.lanes(0)
  for k in stride(from: range.lowerBound, to: range.upperBound, by: laneCount) {
    unsafe total = total.addingProduct(x.lanes(k), w.lanes(k))
  }
  unsafe sums.store(total, 0)
}

/// `weightsGradient[j, k] (+)= Σᵢ gradient[i, j] · input[i, k]` and `biasGradient[j] (+)= Σᵢ gradient[i, j]`.
public func smallDenseWeightsGradient(
  _ gradient: Buffer<Float>, input: Buffer<Float>, into weightsGradient: Buffer<Float>,
  bias biasGradient: Buffer<Float>, samples: Int, _ accumulation: Accumulation
) {
  let outputs = biasGradient.count
  let inputs = weightsGradient.count / outputs
  checkDense(samples: samples, inputs: inputs, outputs: outputs, input, weightsGradient, gradient)
  let x = unsafe UnsafePointer(input.base)
  let g = unsafe UnsafePointer(gradient.base)
  let d = unsafe weightsGradient.base
  for k in stride(from: 0, to: inputs / (2 * laneCount) * (2 * laneCount), by: 2 * laneCount) {
    var j = 0
    while j < outputs {
      if outputs - j >= 5 {
        unsafe outerFive(x + k, g + j, d + j * inputs + k, samples, inputs, outputs, accumulation)
        j += 5
      } else {
        unsafe outerOne(x + k, g + j, d + j * inputs + k, samples, inputs, outputs, accumulation)
        unsafe outerOne(
          x + k + laneCount, g + j, d + j * inputs + k + laneCount, samples, inputs, outputs, accumulation)
        j += 1
      }
    }
  }
  if inputs % (2 * laneCount) != 0 {
    let k = inputs - laneCount
    for j in 0..<outputs {
      unsafe outerOne(x + k, g + j, d + j * inputs + k, samples, inputs, outputs, accumulation)
    }
  }
  columnSums(gradient, into: biasGradient, accumulation)
}

/// Five outputs by two lanes' width of inputs, in ten registers over all samples.
@inline(__always)
private func outerFive(
  _ x: UnsafePointer<Float>, _ g: UnsafePointer<Float>, _ d: UnsafeMutablePointer<Float>, _ samples: Int,
  _ inputs: Int, _ outputs: Int, _ accumulation: Accumulation
) {
  let zero = Lanes(repeating: 0)
  var a0 = zero
  var a1 = zero
  var a2 = zero
  var a3 = zero
  var a4 = zero
  var b0 = zero
  var b1 = zero
  var b2 = zero
  var b3 = zero
  var b4 = zero
  var row = unsafe x
  var weight = unsafe g
  for _ in 0..<samples {
    let left = unsafe row.lanes(0)
    let right = unsafe row.lanes(laneCount)
    let g0 = unsafe weight.broadcast(0)
    a0 = a0.addingProduct(left, g0)
    b0 = b0.addingProduct(right, g0)
    let g1 = unsafe weight.broadcast(1)
    a1 = a1.addingProduct(left, g1)
    b1 = b1.addingProduct(right, g1)
    let g2 = unsafe weight.broadcast(2)
    a2 = a2.addingProduct(left, g2)
    b2 = b2.addingProduct(right, g2)
    let g3 = unsafe weight.broadcast(3)
    a3 = a3.addingProduct(left, g3)
    b3 = b3.addingProduct(right, g3)
    let g4 = unsafe weight.broadcast(4)
    a4 = a4.addingProduct(left, g4)
    b4 = b4.addingProduct(right, g4)
    unsafe row += inputs
    unsafe weight += outputs
  }
  unsafe write(a0, b0, d, accumulation)
  unsafe write(a1, b1, d + inputs, accumulation)
  unsafe write(a2, b2, d + 2 * inputs, accumulation)
  unsafe write(a3, b3, d + 3 * inputs, accumulation)
  unsafe write(a4, b4, d + 4 * inputs, accumulation)
}

/// Writes or adds two neighbouring vectors of a finished sum.
@inline(__always)
func write(_ left: Lanes, _ right: Lanes, _ d: UnsafeMutablePointer<Float>, _ accumulation: Accumulation) {
  if accumulation == .add {
    unsafe d.store(d.lanes(0) + left, 0)
    unsafe d.store(d.lanes(laneCount) + right, laneCount)
  } else {
    unsafe d.store(left, 0)
    unsafe d.store(right, laneCount)
  }
}

@inline(__always)
private func outerOne(
  _ x: UnsafePointer<Float>, _ g: UnsafePointer<Float>, _ d: UnsafeMutablePointer<Float>, _ samples: Int,
  _ inputs: Int, _ outputs: Int, _ accumulation: Accumulation
) {
  var total = Lanes(repeating: 0)
  for i in 0..<samples { unsafe total = total.addingProduct(x.lanes(i * inputs), g.broadcast(i * outputs)) }
  if accumulation == .add { unsafe total += d.lanes(0) }
  unsafe d.store(total, 0)
}

/// `inputGradient[i, k] = Σⱼ gradient[i, j] · weights[j, k]`.
public func smallDenseInputGradient(
  _ gradient: Buffer<Float>, weights: Buffer<Float>, into inputGradient: Buffer<Float>, samples: Int, outputs: Int
) {
  let inputs = weights.count / outputs
  checkDense(samples: samples, inputs: inputs, outputs: outputs, inputGradient, weights, gradient)
  let w = unsafe UnsafePointer(weights.base)
  let g = unsafe UnsafePointer(gradient.base)
  let d = unsafe inputGradient.base
  let pairs = inputs / (2 * laneCount) * (2 * laneCount)
  for k in stride(from: 0, to: pairs, by: 2 * laneCount) {
    var i = 0
    while i + 4 <= samples {
      unsafe spreadFour(g + i * outputs, w + k, d + i * inputs + k, inputs, stride: inputs, outputs)
      i += 4
    }
    while i < samples {
      unsafe spreadOne(g + i * outputs, w + k, d + i * inputs + k, inputs, outputs)
      unsafe spreadOne(g + i * outputs, w + k + laneCount, d + i * inputs + k + laneCount, inputs, outputs)
      i += 1
    }
  }
  if pairs < inputs {
    for i in 0..<samples { unsafe spreadOne(g + i * outputs, w + pairs, d + i * inputs + pairs, inputs, outputs) }
  }
}

/// Four samples by two lanes' width of inputs, in eight registers over all outputs, whose weights lie `stride` floats apart.
@inline(__always)
func spreadFour(
  _ g: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ d: UnsafeMutablePointer<Float>, _ inputs: Int, stride: Int,
  _ outputs: Int
) {
  let zero = Lanes(repeating: 0)
  var a0 = zero
  var a1 = zero
  var a2 = zero
  var a3 = zero
  var b0 = zero
  var b1 = zero
  var b2 = zero
  var b3 = zero
  var row = unsafe w
  for j in 0..<outputs {
    let left = unsafe row.lanes(0)
    let right = unsafe row.lanes(laneCount)
    let g0 = unsafe g.broadcast(j)
    a0 = a0.addingProduct(left, g0)
    b0 = b0.addingProduct(right, g0)
    let g1 = unsafe g.broadcast(outputs + j)
    a1 = a1.addingProduct(left, g1)
    b1 = b1.addingProduct(right, g1)
    let g2 = unsafe g.broadcast(2 * outputs + j)
    a2 = a2.addingProduct(left, g2)
    b2 = b2.addingProduct(right, g2)
    let g3 = unsafe g.broadcast(3 * outputs + j)
    a3 = a3.addingProduct(left, g3)
    b3 = b3.addingProduct(right, g3)
    unsafe row += stride
  }
  unsafe write(a0, b0, d, .replace)
  unsafe write(a1, b1, d + inputs, .replace)
  unsafe write(a2, b2, d + 2 * inputs, .replace)
  unsafe write(a3, b3, d + 3 * inputs, .replace)
}

@inline(__always)
func spreadOne(
  _ g: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ d: UnsafeMutablePointer<Float>, _ stride: Int, _ outputs: Int
) {
  var total = Lanes(repeating: 0)
  for j in 0..<outputs { unsafe total = total.addingProduct(w.lanes(j * stride), g.broadcast(j)) }
  unsafe d.store(total, 0)
}

func checkDense(
  samples: Int, inputs: Int, outputs: Int, _ input: Buffer<Float>, _ weights: Buffer<Float>, _ output: Buffer<Float>
) {
  precondition(inputs % laneCount == 0, "\(inputs) inputs are not a multiple of \(laneCount) lanes")
  precondition(
    input.count == samples * inputs && weights.count == outputs * inputs && output.count == samples * outputs,
    "dense [\(samples), \(inputs)] · [\(outputs), \(inputs)]ᵀ on buffers of \(input.count), \(weights.count), \(output.count)"
  )
}
