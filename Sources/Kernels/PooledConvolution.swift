// A convolution of many channels, ReLU and 2×2 max-pooling in one pass, and its gradients.
//
// Channels last makes a row of a kernel's patch contiguous: its kernelWidth · inputChannels floats lie side by side in the image.
// Forward: lanes along the output channels, two vectors of them by a window's four positions in registers. Backward: three of
// a window's four positions have no gradient, and closed ReLUs none at all, so what is left is kept as a list for each output
// channel, and lanes run along the patch's rows, twelve vectors of a row in registers.
//
// Legend: L floats in a patch's row · c output channel · a00…a31 sums of four positions by two vectors

/// The sizes of a pooled convolution: input [height, width, inputChannels], kernel [kernel, kernel], valid, then 2×2 pooling.
public struct PooledConvolutionShape: Sendable {
  /// The input's rows, columns and channels.
  public let height: Int
  public let width: Int
  public let inputChannels: Int
  /// The kernel's rows, and columns.
  public let kernel: Int
  /// The filters.
  public let channels: Int

  /// Sizes that this kernel can do, or nil: the caller then keeps the three layers apart.
  public init?(height: Int, width: Int, inputChannels: Int, kernel: Int, channels: Int) {
    guard height > kernel, width > kernel, inputChannels % laneCount == 0, channels % (2 * laneCount) == 0 else {
      return nil
    }
    self.height = height
    self.width = width
    self.inputChannels = inputChannels
    self.kernel = kernel
    self.channels = channels
  }

  /// The pooled map's rows and columns; an odd last row or column is dropped.
  public var pooledHeight: Int { (height - kernel + 1) / 2 }
  public var pooledWidth: Int { (width - kernel + 1) / 2 }
  /// The floats of one sample's input and of its pooled map.
  public var inputCount: Int { height * width * inputChannels }
  public var pooledCount: Int { windows * channels }
  /// The floats of all weights.
  public var weightsCount: Int { kernel * kernel * inputChannels * channels }
  fileprivate var windows: Int { pooledHeight * pooledWidth }
  /// The floats of a patch's row.
  fileprivate var rowCount: Int { kernel * inputChannels }
  /// From an input's row to the next.
  fileprivate var stride: Int { width * inputChannels }
}

/// Buffers that a pooled convolution needs, made once.
public struct PooledConvolutionScratch: Sendable {
  /// The weights as forward reads them, [channels / 2 lanes][kernel · L][2 lanes], and as backward does, [channels][kernel · L].
  fileprivate let forwardWeights: Buffer<Float>
  fileprivate let backwardWeights: Buffer<Float>
  /// The weights' gradient in backward's order, and in the parameters'.
  fileprivate let totals: Buffer<Float>
  fileprivate let ordered: Buffer<Float>
  fileprivate let biasTotals: Buffer<Float>
  /// One channel's windows with a gradient: where the winner's patch begins in the input, and the gradient.
  fileprivate let places: Buffer<Int32>
  fileprivate let gradients: Buffer<Float>

  /// For this shape.
  public init(_ shape: PooledConvolutionShape) {
    forwardWeights = Buffer(count: shape.weightsCount)
    backwardWeights = Buffer(count: shape.weightsCount)
    totals = Buffer(count: shape.weightsCount)
    ordered = Buffer(count: shape.weightsCount)
    biasTotals = Buffer(count: shape.channels)
    places = Buffer(count: shape.windows)
    gradients = Buffer(count: shape.windows)
  }
}

/// `output[n, py, px, c] = max(0, max over the 2×2 window of (bias[c] + Σ weights · patch))`, and `winners` for the gradient.
///
/// `input` [samples, height, width, inputChannels] · `weights` [kernel, kernel, inputChannels, channels] · `bias` [channels] ·
/// `output`, `winners` [samples, pooledHeight, pooledWidth, channels].
public func pooledConvolution(
  _ input: Buffer<Float>, weights: Buffer<Float>, bias: Buffer<Float>, into output: Buffer<Float>,
  winners: Buffer<Float>, samples: Int, _ shape: PooledConvolutionShape, scratch: PooledConvolutionScratch
) {
  precondition(input.count == samples * shape.inputCount, "pooled convolution of \(input.count) floats")
  precondition(
    output.count == samples * shape.pooledCount && winners.count == output.count,
    "pooled convolution into \(output.count) and \(winners.count) floats")
  precondition(weights.count == shape.weightsCount && bias.count == shape.channels, "pooled convolution's weights")
  let pair = 2 * laneCount
  let taps = shape.kernel * shape.rowCount
  for group in 0..<shape.channels / pair {
    for tap in 0..<taps {
      scratch.forwardWeights[(group * taps + tap) * pair..<(group * taps + tap + 1) * pair].copy(
        from: weights[tap * shape.channels + group * pair..<tap * shape.channels + (group + 1) * pair])
    }
  }
  for sample in 0..<samples {
    for group in 0..<shape.channels / pair {
      let at = sample * shape.pooledCount + group * pair
      unsafe convolvePair(
        input.base + sample * shape.inputCount, scratch.forwardWeights.base + group * taps * pair,
        bias.base + group * pair, output.base + at, winners.base + at, poolPlaces.base, shape)
    }
  }
}

@inline(never)
private func convolvePair(
  _ image: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ winners: UnsafeMutablePointer<Float>, _ place: UnsafePointer<Float>,
  _ shape: PooledConvolutionShape
) {
  let zero = Lanes(repeating: 0)
  let (right, down) = (shape.inputChannels, shape.stride)
  let diagonal = right + down
  for py in 0..<shape.pooledHeight {
    for px in 0..<shape.pooledWidth {
      var a00 = zero
      var a01 = zero
      var a10 = zero
      var a11 = zero
      var a20 = zero
      var a21 = zero
      var a30 = zero
      var a31 = zero
      var w = unsafe weights
      for ky in 0..<shape.kernel {
        var x = unsafe image + (2 * py + ky) * down + 2 * px * right
        for _ in 0..<shape.rowCount {
          let left = unsafe w.lanes(0)
          let next = unsafe w.lanes(laneCount)
          let x0 = unsafe x.broadcast(0)
          a00 = a00.addingProduct(x0, left)
          a01 = a01.addingProduct(x0, next)
          let x1 = unsafe x.broadcast(right)
          a10 = a10.addingProduct(x1, left)
          a11 = a11.addingProduct(x1, next)
          let x2 = unsafe x.broadcast(down)
          a20 = a20.addingProduct(x2, left)
          a21 = a21.addingProduct(x2, next)
          let x3 = unsafe x.broadcast(diagonal)
          a30 = a30.addingProduct(x3, left)
          a31 = a31.addingProduct(x3, next)
          unsafe x += 1
          unsafe w += 2 * laneCount
        }
      }
      let at = (py * shape.pooledWidth + px) * shape.channels
      unsafe pool(a00, a10, a20, a30, bias, output + at, winners + at, place)
      unsafe pool(a01, a11, a21, a31, bias + laneCount, output + at + laneCount, winners + at + laneCount, place)
    }
  }
}

/// The gradients of ``pooledConvolution``: of its weights and bias, summed over the samples and then written or added once, and of
/// its input where that is asked for. Follows the forward pass of the same samples and weights.
public func pooledConvolutionGradient(
  _ gradient: Buffer<Float>, winners: Buffer<Float>, input: Buffer<Float>, weights: Buffer<Float>,
  into weightsGradient: Buffer<Float>, bias biasGradient: Buffer<Float>, inputGradient: Buffer<Float>?, samples: Int,
  _ shape: PooledConvolutionShape, scratch: PooledConvolutionScratch, _ accumulation: Accumulation
) {
  precondition(input.count == samples * shape.inputCount, "pooled convolution's gradient: input")
  precondition(
    gradient.count == samples * shape.pooledCount && winners.count == gradient.count,
    "pooled convolution's gradient of \(gradient.count) and \(winners.count) floats")
  precondition(
    weightsGradient.count == shape.weightsCount && weights.count == shape.weightsCount
      && biasGradient.count == shape.channels, "pooled convolution's gradient: weights")
  precondition(inputGradient.map { $0.count == input.count } ?? true, "pooled convolution's input gradient")
  let taps = shape.kernel * shape.rowCount
  transpose(weights, rows: taps, columns: shape.channels, into: scratch.backwardWeights)
  scratch.totals.fill(0)
  scratch.biasTotals.fill(0)
  inputGradient?.fill(0)
  for sample in 0..<samples {
    let image = unsafe UnsafePointer(input.base) + sample * shape.inputCount
    let imageGradient = unsafe inputGradient.map { unsafe $0.base + sample * shape.inputCount }
    let at = sample * shape.pooledCount
    for channel in 0..<shape.channels {
      let count = unsafe listWindows(gradient.base + at + channel, winners.base + at + channel, channel, shape, scratch)
      for ky in 0..<shape.kernel {
        let row = channel * taps + ky * shape.rowCount
        unsafe addPatchRows(
          image + ky * shape.stride, scratch.places.base, scratch.gradients.base, count, scratch.totals.base + row,
          shape.rowCount)
        if let imageGradient = unsafe imageGradient {
          unsafe spreadPatchRows(
            imageGradient + ky * shape.stride, scratch.places.base, scratch.gradients.base, count,
            scratch.backwardWeights.base + row, shape.rowCount)
        }
      }
    }
  }
  transpose(scratch.totals, rows: shape.channels, columns: taps, into: scratch.ordered)
  switch accumulation {
  case .replace:
    weightsGradient.copy(from: scratch.ordered)
    biasGradient.copy(from: scratch.biasTotals)
  case .add:
    add(scratch.ordered, into: weightsGradient)
    add(scratch.biasTotals, into: biasGradient)
  }
}

/// Lists one channel's windows that have a gradient, in order, adds them to the bias' gradient, and returns how many there are.
private func listWindows(
  _ gradient: UnsafePointer<Float>, _ winners: UnsafePointer<Float>, _ channel: Int, _ shape: PooledConvolutionShape,
  _ scratch: PooledConvolutionScratch
) -> Int {
  let places = unsafe scratch.places.base
  let gradients = unsafe scratch.gradients.base
  var count = 0
  var total = scratch.biasTotals[channel]
  for py in 0..<shape.pooledHeight {
    for px in 0..<shape.pooledWidth {
      let at = (py * shape.pooledWidth + px) * shape.channels
      let winner = unsafe winners[at]
      let g = unsafe winner < 0 ? 0 : gradient[at]
      let place = Int(winner.bitPattern & 3)
      // Written always and kept only if it counts: no branch to guess wrong.
      unsafe places[count] = Int32(
        truncatingIfNeeded: (2 * py + place / 2) * shape.stride + (2 * px + place % 2) * shape.inputChannels)
      unsafe gradients[count] = g
      count += g != 0 ? 1 : 0
      total += g
    }
  }
  scratch.biasTotals[channel] = total
  return count
}

/// `total[j] += Σ over the list of gradient · image[place + j]` for the `length` floats of a patch's row.
@inline(never)
private func addPatchRows(
  _ image: UnsafePointer<Float>, _ places: UnsafePointer<Int32>, _ gradients: UnsafePointer<Float>, _ count: Int,
  _ total: UnsafeMutablePointer<Float>, _ length: Int
) {
  var j = 0
  while j + 12 * laneCount <= length {
    var a0 = unsafe total.lanes(j)
    var a1 = unsafe total.lanes(j + laneCount)
    var a2 = unsafe total.lanes(j + 2 * laneCount)
    var a3 = unsafe total.lanes(j + 3 * laneCount)
    var a4 = unsafe total.lanes(j + 4 * laneCount)
    var a5 = unsafe total.lanes(j + 5 * laneCount)
    var a6 = unsafe total.lanes(j + 6 * laneCount)
    var a7 = unsafe total.lanes(j + 7 * laneCount)
    var a8 = unsafe total.lanes(j + 8 * laneCount)
    var a9 = unsafe total.lanes(j + 9 * laneCount)
    var a10 = unsafe total.lanes(j + 10 * laneCount)
    var a11 = unsafe total.lanes(j + 11 * laneCount)
    for entry in 0..<count {
      let g = unsafe gradients.broadcast(entry)
      let x = unsafe image + Int(places[entry]) + j
      a0 = unsafe a0.addingProduct(g, x.lanes(0))
      a1 = unsafe a1.addingProduct(g, x.lanes(laneCount))
      a2 = unsafe a2.addingProduct(g, x.lanes(2 * laneCount))
      a3 = unsafe a3.addingProduct(g, x.lanes(3 * laneCount))
      a4 = unsafe a4.addingProduct(g, x.lanes(4 * laneCount))
      a5 = unsafe a5.addingProduct(g, x.lanes(5 * laneCount))
      a6 = unsafe a6.addingProduct(g, x.lanes(6 * laneCount))
      a7 = unsafe a7.addingProduct(g, x.lanes(7 * laneCount))
      a8 = unsafe a8.addingProduct(g, x.lanes(8 * laneCount))
      a9 = unsafe a9.addingProduct(g, x.lanes(9 * laneCount))
      a10 = unsafe a10.addingProduct(g, x.lanes(10 * laneCount))
      a11 = unsafe a11.addingProduct(g, x.lanes(11 * laneCount))
    }
    unsafe total.store(a0, j)
    unsafe total.store(a1, j + laneCount)
    unsafe total.store(a2, j + 2 * laneCount)
    unsafe total.store(a3, j + 3 * laneCount)
    unsafe total.store(a4, j + 4 * laneCount)
    unsafe total.store(a5, j + 5 * laneCount)
    unsafe total.store(a6, j + 6 * laneCount)
    unsafe total.store(a7, j + 7 * laneCount)
    unsafe total.store(a8, j + 8 * laneCount)
    unsafe total.store(a9, j + 9 * laneCount)
    unsafe total.store(a10, j + 10 * laneCount)
    unsafe total.store(a11, j + 11 * laneCount)
    j += 12 * laneCount
  }
  while j < length {
    var a = unsafe total.lanes(j)
    for entry in 0..<count {
      unsafe a = a.addingProduct(gradients.broadcast(entry), image.lanes(Int(places[entry]) + j))
    }
    unsafe total.store(a, j)
    j += laneCount
  }
}

/// `image[place + j] += gradient · weights[j]` for each entry of the list in order and the `length` floats of a patch's row.
@inline(never)
private func spreadPatchRows(
  _ image: UnsafeMutablePointer<Float>, _ places: UnsafePointer<Int32>, _ gradients: UnsafePointer<Float>,
  _ count: Int, _ weights: UnsafePointer<Float>, _ length: Int
) {
  var j = 0
  while j + 12 * laneCount <= length {
    let w0 = unsafe weights.lanes(j)
    let w1 = unsafe weights.lanes(j + laneCount)
    let w2 = unsafe weights.lanes(j + 2 * laneCount)
    let w3 = unsafe weights.lanes(j + 3 * laneCount)
    let w4 = unsafe weights.lanes(j + 4 * laneCount)
    let w5 = unsafe weights.lanes(j + 5 * laneCount)
    let w6 = unsafe weights.lanes(j + 6 * laneCount)
    let w7 = unsafe weights.lanes(j + 7 * laneCount)
    let w8 = unsafe weights.lanes(j + 8 * laneCount)
    let w9 = unsafe weights.lanes(j + 9 * laneCount)
    let w10 = unsafe weights.lanes(j + 10 * laneCount)
    let w11 = unsafe weights.lanes(j + 11 * laneCount)
    for entry in 0..<count {
      let g = unsafe gradients.broadcast(entry)
      let x = unsafe image + Int(places[entry]) + j
      unsafe x.store(x.lanes(0).addingProduct(g, w0), 0)
      unsafe x.store(x.lanes(laneCount).addingProduct(g, w1), laneCount)
      unsafe x.store(x.lanes(2 * laneCount).addingProduct(g, w2), 2 * laneCount)
      unsafe x.store(x.lanes(3 * laneCount).addingProduct(g, w3), 3 * laneCount)
      unsafe x.store(x.lanes(4 * laneCount).addingProduct(g, w4), 4 * laneCount)
      unsafe x.store(x.lanes(5 * laneCount).addingProduct(g, w5), 5 * laneCount)
      unsafe x.store(x.lanes(6 * laneCount).addingProduct(g, w6), 6 * laneCount)
      unsafe x.store(x.lanes(7 * laneCount).addingProduct(g, w7), 7 * laneCount)
      unsafe x.store(x.lanes(8 * laneCount).addingProduct(g, w8), 8 * laneCount)
      unsafe x.store(x.lanes(9 * laneCount).addingProduct(g, w9), 9 * laneCount)
      unsafe x.store(x.lanes(10 * laneCount).addingProduct(g, w10), 10 * laneCount)
      unsafe x.store(x.lanes(11 * laneCount).addingProduct(g, w11), 11 * laneCount)
    }
    j += 12 * laneCount
  }
  while j < length {
    let w = unsafe weights.lanes(j)
    for entry in 0..<count {
      let at = unsafe Int(places[entry]) + j
      unsafe image.store(image.lanes(at).addingProduct(gradients.broadcast(entry), w), at)
    }
    j += laneCount
  }
}

/// `target` [columns, rows] = the transpose of `source` [rows, columns], in squares that stay in the cache.
func transpose(_ source: Buffer<Float>, rows: Int, columns: Int, into target: Buffer<Float>) {
  precondition(source.count == rows * columns && target.count == source.count, "transpose of \(rows) × \(columns)")
  let block = 16
  for top in stride(from: 0, to: rows, by: block) {
    for left in stride(from: 0, to: columns, by: block) {
      for row in top..<min(top + block, rows) {
        for column in left..<min(left + block, columns) {
          unsafe target.base[column * rows + row] = source.base[row * columns + column]
        }
      }
    }
  }
}
