// Dense layers of many outputs, for the few rows of a microbatch: OpenBLAS packs the whole weights for each product, which at 32
// rows costs a sixth of it, and clears a gradient before it adds to it. Here forward reads the weights as they lie, and the
// gradients are written once; lanes run along the inputs in all three.
//
// Legend: x [samples, inputs] · w, d [outputs, inputs] · y, g [samples, outputs] · i sample · j output · k input

import Primitives
import Vectors

/// The inputs that forward takes at once: of 32 samples they fill the first-level cache, where they stay while the weights pass.
private let forwardBlock = 256

/// The number of weights from which on most are in no cache of the core when they are needed, so their lines are asked
/// for ahead. Measured: it costs 2 % where they are near, and gains a third where they are not.
private let farWeights = 1 << 19

/// The floats of scratch that ``denseForward(_:weights:bias:into:samples:scratch:)`` needs.
public func denseForwardScratch(samples: Int, inputs: Int, outputs: Int) -> Int {
  inputs > 4 * forwardBlock ? samples * (outputs * laneCount + forwardBlock) : 0
}

/// `output[i, j] = bias[j] + Σₖ input[i, k] · weights[j, k]`.
///
/// `inputs` must be a multiple of ``laneCount`` and `outputs` even; `scratch` as ``denseForwardScratch(samples:inputs:outputs:)``
/// says. A sample's bits do not depend on its neighbours.
public func denseForward(
  _ input: Buffer<Float>, weights: Buffer<Float>, bias: Buffer<Float>, into output: Buffer<Float>, samples: Int,
  scratch: Buffer<Float>
) {
  let outputs = bias.count
  let inputs = weights.count / outputs
  checkDense(samples: samples, inputs: inputs, outputs: outputs, input, weights, output)
  precondition(outputs % 2 == 0, "\(outputs) outputs are not even")
  precondition(
    scratch.count >= denseForwardScratch(samples: samples, inputs: inputs, outputs: outputs),
    "scratch of \(scratch.count) floats is too small")
  if inputs <= 4 * forwardBlock {
    // So many rows of weights stay in the second-level cache while all samples pass over them.
    let rows = max(2, 24_576 / inputs / 2 * 2)
    for j in stride(from: 0, to: outputs, by: rows) {
      unsafe forwardTile(
        input.base, weights.base + j * inputs, bias.base + j, output.base + j, scratch.base,
        DenseTile(
          samples: samples, stride: inputs, inputs: inputs, outputs: outputs, length: inputs,
          rows: min(rows, outputs - j), isFirst: true, isLast: true))
    }
    return
  }
  let packed = unsafe scratch.base + samples * outputs * laneCount
  for k in stride(from: 0, to: inputs, by: forwardBlock) {
    let length = min(forwardBlock, inputs - k)
    // Rows that are a power of two apart fall into the same few places of a cache: they are laid side by side.
    for i in 0..<samples { unsafe (packed + i * length).update(from: input.base + i * inputs + k, count: length) }
    unsafe forwardTile(
      packed, weights.base + k, bias.base, output.base, scratch.base,
      DenseTile(
        samples: samples, stride: length, inputs: inputs, outputs: outputs, length: length, rows: outputs,
        isFirst: k == 0, isLast: k + length == inputs))
  }
}

/// A piece of a forward pass: `rows` outputs by `length` inputs, and whether sums begin or end in it.
private struct DenseTile {
  var samples: Int
  /// From a sample to the next.
  var stride: Int
  var inputs: Int
  var outputs: Int
  var length: Int
  var rows: Int
  var isFirst: Bool
  var isLast: Bool
}

private func forwardTile(
  _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
  _ partial: UnsafeMutablePointer<Float>, _ tile: DenseTile
) {
  let fours = tile.samples / 4 * 4
  func four(_ i: Int, _ j: Int) {
    unsafe dotFourByTwo(
      x + i * tile.stride, w + j * tile.inputs, bias + j, y + i * tile.outputs + j,
      partial + (i * tile.outputs + j) * laneCount, tile)
  }
  // What is read again soonest goes innermost: weights that were chosen to stay in the cache, or else samples.
  if tile.length == tile.inputs {
    for i in stride(from: 0, to: fours, by: 4) { for j in stride(from: 0, to: tile.rows, by: 2) { four(i, j) } }
  } else {
    // The weights come from far away, a piece of each row, which no processor foresees: the next two rows' pieces are asked for
    // meanwhile, a part beside every four samples.
    let part = max(laneCount, tile.length * 4 / max(fours, 1))
    for j in stride(from: 0, to: tile.rows, by: 2) {
      let next = unsafe w + min(j + 2, tile.rows - 2) * tile.inputs
      for i in stride(from: 0, to: fours, by: 4) {
        let asked = min(i / 4 * part, tile.length)..<min((i / 4 + 1) * part, tile.length)
        unsafe next.prefetch(asked.lowerBound, count: asked.count)
        unsafe next.prefetch(tile.inputs + asked.lowerBound, count: asked.count)
        four(i, j)
      }
    }
  }
  for i in fours..<tile.samples {
    for j in stride(from: 0, to: tile.rows, by: 2) {
      unsafe dotOneByTwo(
        x + i * tile.stride, w + j * tile.inputs, bias + j, y + i * tile.outputs + j,
        partial + (i * tile.outputs + j) * laneCount, tile)
    }
  }
}

/// Four samples by two outputs: eight sums hide the latency of the multiply-add, six loads feed eight products.
@inline(__always)
private func dotFourByTwo(
  _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
  _ partial: UnsafeMutablePointer<Float>, _ tile: DenseTile
) {
  let row = tile.outputs * laneCount
  var sums = tile.isFirst ? RegisterTile<4>() : unsafe RegisterTile<4>(partial, stride: row)
  for k in stride(from: 0, to: tile.length, by: laneCount) {
    unsafe sums.addProducts(x + k, stride: tile.stride, w.lanes(k), w.lanes(tile.inputs + k))
  }
  if tile.isLast {
    for sample in 0..<4 { unsafe y[sample &* tile.outputs] = bias[0] + sums.left[sample].total() }
    for sample in 0..<4 { unsafe y[sample &* tile.outputs &+ 1] = bias[1] + sums.right[sample].total() }
  } else {
    unsafe sums.store(to: partial, stride: row)
  }
}

@inline(__always)
private func dotOneByTwo(
  _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
  _ partial: UnsafeMutablePointer<Float>, _ tile: DenseTile
) {
  var a0 = tile.isFirst ? Lanes(repeating: 0) : unsafe partial.lanes(0)
  var a1 = tile.isFirst ? Lanes(repeating: 0) : unsafe partial.lanes(laneCount)
  for k in stride(from: 0, to: tile.length, by: laneCount) {
    let x0 = unsafe x.lanes(k)
    unsafe a0 = a0.addingProduct(x0, w.lanes(k))
    unsafe a1 = a1.addingProduct(x0, w.lanes(tile.inputs + k))
  }
  if tile.isLast {
    unsafe y[0] = bias[0] + a0.total()
    unsafe y[1] = bias[1] + a1.total()
  } else {
    unsafe partial.store(a0, 0)
    unsafe partial.store(a1, laneCount)
  }
}

/// The floats of scratch that ``denseWeightsGradient(_:input:into:samples:microbatch:scratch:_:)`` needs.
public func denseWeightsGradientScratch(samples: Int, outputs: Int) -> Int {
  samples * 2 * laneCount + min(samples * outputs, max(gradientFloats, samples * 4)) + waitingTiles * 8 * laneCount
}

/// The floats of the output's gradient that are laid side by side at once: they stay in the second-level cache while all inputs pass.
private let gradientFloats = 1 << 14

/// The outputs whose gradients are laid side by side at once: 512 for 32 samples.
private func gradientRows(_ samples: Int) -> Int { max(4, gradientFloats / samples / 4 * 4) }

/// The tiles of sums that may wait for another one: one for each bit of a microbatch's number, which has at most so many.
private let waitingTiles = 8

/// `weightsGradient[j, k] (+)= Σᵢ gradient[i, j] · input[i, k]`, the sum complete before it is written or added.
///
/// Several microbatches have `microbatch` samples each, but for the last. Each one's sum is worked out by itself, and
/// the sums are added as the nodes of a binary tree over their numbers. The bits are the same as if each had been
/// written elsewhere and those then added, but the gradient is written once.
///
/// `inputs` must be a multiple of ``laneCount`` and the outputs of 4; `scratch` as ``denseWeightsGradientScratch(samples:outputs:)`` says.
public func denseWeightsGradient(
  _ gradient: Buffer<Float>, input: Buffer<Float>, into weightsGradient: Buffer<Float>, samples: Int, microbatch: Int,
  scratch: Buffer<Float>, _ accumulation: Accumulation
) {
  let inputs = input.count / samples
  let outputs = gradient.count / samples
  let panel = 2 * laneCount
  checkDense(samples: samples, inputs: inputs, outputs: outputs, input, weightsGradient, gradient)
  precondition(outputs % 4 == 0, "a dense gradient of [\(outputs), \(inputs)]")
  precondition(
    scratch.count >= denseWeightsGradientScratch(samples: samples, outputs: outputs),
    "scratch of \(scratch.count) floats is too small")
  precondition(microbatch >= 1 && (samples - 1) / microbatch < 1 << waitingTiles, "microbatches of \(microbatch)")
  // Rows that are a power of two apart fall into the same few places of a cache: what the inner loop reads is laid side by side.
  let waiting = unsafe scratch.base
  let x = unsafe waiting + waitingTiles * 8 * laneCount
  let g = unsafe x + samples * panel
  let paired = inputs / panel * panel
  let isFar = weightsGradient.count >= farWeights
  for first in stride(from: 0, to: outputs, by: gradientRows(samples)) {
    let end = min(first + gradientRows(samples), outputs)
    for j in stride(from: first, to: end, by: 4) {
      for i in 0..<samples {
        let four = unsafe UnsafeRawPointer(gradient.base + i * outputs + j).loadUnaligned(as: SIMD4<Float>.self)
        unsafe UnsafeMutableRawPointer(g + ((j - first) * samples + i * 4)).storeBytes(of: four, as: SIMD4<Float>.self)
      }
    }
    for k in stride(from: 0, to: paired, by: panel) {
      for i in 0..<samples {
        let row = unsafe UnsafePointer(input.base) + i * inputs + k
        unsafe x.store(row.lanes(0), i * panel)
        unsafe x.store(row.lanes(laneCount), i * panel + laneCount)
      }
      for j in stride(from: first, to: end, by: 4) {
        // Every row is pages away from the last: what is written some rows later is asked for.
        let ahead = j + 16 < end ? (row: j + 16, column: k) : (row: j + 16 - end + first, column: k + panel)
        if isFar && ahead.column < paired && ahead.row + 4 <= end {
          unsafe prefetch(
            weightsGradient.base + ahead.column, rows: ahead.row..<ahead.row + 4, of: inputs, width: panel)
        }
        unsafe outerFourByTwo(
          x, g + (j - first) * samples, weightsGradient.base + j * inputs + k, waiting,
          OuterTile(samples: samples, microbatch: microbatch, inputs: inputs, accumulation: accumulation))
      }
    }
    if paired < inputs {
      // The odd vector at the end of an odd number of them.
      for j in stride(from: first, to: end, by: 4) {
        unsafe outerFourByOne(
          input.base + paired, g + (j - first) * samples, weightsGradient.base + j * inputs + paired, waiting,
          OuterTile(samples: samples, microbatch: microbatch, inputs: inputs, accumulation: accumulation))
      }
    }
  }
}

/// The sizes of a tile of a weights' gradient.
private struct OuterTile {
  var samples: Int
  var microbatch: Int
  var inputs: Int
  var accumulation: Accumulation
}

/// Four outputs by two vectors of inputs, in eight registers over all samples of a microbatch.
@inline(__always)
private func outerFourByTwo(
  _ x: UnsafePointer<Float>, _ g: UnsafePointer<Float>, _ d: UnsafeMutablePointer<Float>,
  _ waiting: UnsafeMutablePointer<Float>, _ tile: OuterTile
) {
  var (index, start) = (0, 0)
  while true {
    let end = min(start &+ tile.microbatch, tile.samples)
    var sums = RegisterTile<4>()
    for i in start..<end {
      let row = unsafe x + i &* (2 &* laneCount)
      unsafe sums.addOuterProduct(g + 4 &* i, stride: 1, row.lanes(0), row.lanes(laneCount))
    }
    var place = index.nonzeroBitCount
    for _ in 0..<completedNodes(index, isLast: end == tile.samples) {
      place &-= 1
      unsafe sums.add(waiting + place &* (8 &* laneCount), stride: 2 &* laneCount)
    }
    if end == tile.samples { return unsafe sums.write(to: d, stride: tile.inputs, tile.accumulation) }
    unsafe sums.store(to: waiting + place &* (8 &* laneCount), stride: 2 &* laneCount)
    (index, start) = (index &+ 1, end)
  }
}

/// Four outputs by one vector of inputs, read where they lie: each sum the same chain as ``outerFourByTwo`` makes.
private func outerFourByOne(
  _ x: UnsafePointer<Float>, _ g: UnsafePointer<Float>, _ d: UnsafeMutablePointer<Float>,
  _ waiting: UnsafeMutablePointer<Float>, _ tile: OuterTile
) {
  var (index, start) = (0, 0)
  while true {
    let end = min(start &+ tile.microbatch, tile.samples)
    var sums = Registers<4>()
    for i in start..<end {
      let row = unsafe x.lanes(i &* tile.inputs)
      for output in 0..<4 { sums[output] = unsafe sums[output].addingProduct(row, g.broadcast(4 &* i &+ output)) }
    }
    var place = index.nonzeroBitCount
    for _ in 0..<completedNodes(index, isLast: end == tile.samples) {
      place &-= 1
      for output in 0..<4 { unsafe sums[output] += waiting.lanes((4 &* place &+ output) &* laneCount) }
    }
    if end == tile.samples {
      if tile.accumulation == .add {
        for output in 0..<4 { unsafe sums[output] += d.lanes(output &* tile.inputs) }
      }
      return unsafe sums.store(to: d, stride: tile.inputs)
    }
    unsafe sums.store(to: waiting + place &* (4 &* laneCount))
    (index, start) = (index &+ 1, end)
  }
}

/// Prefetches the first `width` floats of some rows of a matrix of `columns` columns. It is a call, because within a
/// kernel it would take registers from its loops.
@inline(never)
func prefetch(_ matrix: UnsafePointer<Float>, rows: Range<Int>, of columns: Int, width: Int) {
  for row in rows { unsafe matrix.prefetch(row * columns, count: width) }
}

/// The floats of scratch that ``denseInputGradient(_:weights:into:samples:outputs:scratch:)`` needs.
public func denseInputGradientScratch(outputs: Int) -> Int { outputs * inputPanel }

/// The inputs whose weights are laid side by side at once: a few cache lines of each row, to read it well.
private let inputPanel = 8 * laneCount

/// `inputGradient[i, k] = Σⱼ gradient[i, j] · weights[j, k]`.
///
/// `inputs` must be a multiple of ``laneCount``; `scratch` holds ``denseInputGradientScratch(outputs:)`` floats. A sample's bits
/// do not depend on its neighbours.
public func denseInputGradient(
  _ gradient: Buffer<Float>, weights: Buffer<Float>, into inputGradient: Buffer<Float>, samples: Int, outputs: Int,
  scratch: Buffer<Float>
) {
  let inputs = weights.count / outputs
  checkDense(samples: samples, inputs: inputs, outputs: outputs, inputGradient, weights, gradient)
  precondition(
    scratch.count >= denseInputGradientScratch(outputs: outputs), "scratch of \(scratch.count) floats is too small")
  let g = unsafe UnsafePointer(gradient.base)
  let panel = unsafe scratch.base
  let isFar = weights.count >= farWeights
  for start in stride(from: 0, to: inputs, by: inputPanel) {
    let width = min(inputPanel, inputs - start)
    // Rows that are a power of two apart fall into the same few places of a cache: a panel of them is laid side by side, two
    // vectors of every row, then the next two.
    for j in 0..<outputs {
      let row = unsafe UnsafePointer(weights.base) + j * inputs + start
      for k in stride(from: 0, to: width, by: laneCount) {
        let pair = k / (2 * laneCount) * (2 * laneCount)
        unsafe panel.store(row.lanes(k), pair * outputs + min(2 * laneCount, width - pair) * j + k - pair)
      }
    }
    let next = start + width
    // Beside each piece of this panel, some rows of the next one are asked for, and what the next piece is written to.
    let pieces = (width + 2 * laneCount - 1) / (2 * laneCount) * ((samples + 3) / 4)
    let rowsAsked = (outputs + pieces - 1) / pieces
    var asked = 0
    for k in stride(from: 0, to: width, by: 2 * laneCount) {
      let w = unsafe UnsafePointer(panel) + k * outputs
      let d = unsafe inputGradient.base + start + k
      for i in stride(from: 0, to: samples, by: 4) {
        if isFar {
          unsafe prefetch(
            weights.base + next, rows: asked..<min(asked + rowsAsked, outputs), of: inputs,
            width: min(inputPanel, inputs - next))
          unsafe prefetch(
            inputGradient.base + start + k, rows: min(i + 4, samples)..<min(i + 8, samples), of: inputs,
            width: 2 * laneCount)
          asked = min(asked + rowsAsked, outputs)
        }
        let (from, to) = unsafe (g + i * outputs, d + i * inputs)
        if width - k < 2 * laneCount {
          for row in 0..<min(4, samples - i) {
            unsafe spreadOne(from + row * outputs, w, to + row * inputs, laneCount, outputs)
          }
        } else if samples - i >= 4 {
          unsafe spreadFour(from, w, to, inputs, stride: 2 * laneCount, outputs)
        } else {
          for row in 0..<samples - i {
            unsafe spreadOne(from + row * outputs, w, to + row * inputs, 2 * laneCount, outputs)
            unsafe spreadOne(from + row * outputs, w + laneCount, to + row * inputs + laneCount, 2 * laneCount, outputs)
          }
        }
      }
    }
  }
}
