// Dense layers of few outputs (a classifier's last): sgemm packs more than it multiplies there. Lanes run along the inputs.
//
// Legend: x [samples, inputs] · w [outputs, inputs] · y, g [samples, outputs] · i sample · j output · k input

import Primitives
import Vectors

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
  var sums = RegisterTile<5>()
  if !isFirst {
    unsafe sums.left = Registers(even)
    unsafe sums.right = Registers(odd)
  }
  for k in stride(from: range.lowerBound, to: range.upperBound, by: laneCount) {
    unsafe sums.addProducts(w + k, stride: inputs, x.lanes(k), x.lanes(inputs + k))
  }
  unsafe sums.left.store(to: even)
  unsafe sums.right.store(to: odd)
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
  var sums = RegisterTile<5>()
  for i in 0..<samples {
    let row = unsafe x + i * inputs
    unsafe sums.addOuterProduct(g + i * outputs, stride: 1, row.lanes(0), row.lanes(laneCount))
  }
  unsafe sums.write(to: d, stride: inputs, accumulation)
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
  var sums = RegisterTile<4>()
  for j in 0..<outputs {
    let row = unsafe w + j * stride
    unsafe sums.addOuterProduct(g + j, stride: outputs, row.lanes(0), row.lanes(laneCount))
  }
  unsafe sums.store(to: d, stride: inputs)
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
