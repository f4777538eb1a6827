// A convolution of many channels, ReLU and 2×2 max-pooling in one pass, and its gradients.
//
// Channels last makes a row of a kernel's patch contiguous: its kernelWidth · inputChannels floats lie side by side in the image.
// Forward: lanes along the output channels, two vectors of them by a window's four positions in registers. Backward: three of
// a window's four positions have no gradient, and closed ReLUs none at all, so what is left is kept as a list for each output
// channel, and lanes run along the patch's rows. So many rows of windows are taken at once as keep their pixels in the first-level
// cache while all channels pass over them.
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
  /// Whether the registers hold six vectors of each row of a patch, and the rows come out even.
  fileprivate var takesThreeRows: Bool { laneCount == 16 && kernel == 3 && rowCount % (6 * laneCount) == 0 }
  /// The rows of windows that backward takes at once: their pixels fill no more than 32 KiB, if that is possible at all.
  fileprivate var band: Int { max(1, min(pooledHeight, (8192 / stride - kernel + 1) / 2)) }
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
  /// Each channel's windows with a gradient, of so many rows of windows: where the winner's patch begins in the input, and the
  /// gradient [channels][band · pooledWidth], and how many there are.
  fileprivate let places: Buffer<Int32>
  fileprivate let gradients: Buffer<Float>
  fileprivate let counts: Buffer<Int32>
  /// One window's gradients, of closed ReLUs 0.
  fileprivate let open: Buffer<Float>

  /// For this shape.
  public init(_ shape: PooledConvolutionShape) {
    forwardWeights = Buffer(count: shape.weightsCount)
    backwardWeights = Buffer(count: shape.weightsCount)
    totals = Buffer(count: shape.weightsCount)
    ordered = Buffer(count: shape.weightsCount)
    biasTotals = Buffer(count: shape.channels)
    places = Buffer(count: shape.channels * shape.band * shape.pooledWidth)
    gradients = Buffer(count: places.count)
    counts = Buffer(count: shape.channels)
    open = Buffer(count: shape.channels)
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
  groupWeights(weights, taps: taps, channels: shape.channels, into: scratch.forwardWeights)
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
  // Two windows side by side where there are registers for them: the weights are read half as often.
  let pairs = laneCount == 16 ? shape.pooledWidth / 2 : 0
  for py in 0..<shape.pooledHeight {
    for pair in 0..<pairs {
      var a00 = zero
      var a01 = zero
      var a10 = zero
      var a11 = zero
      var a20 = zero
      var a21 = zero
      var a30 = zero
      var a31 = zero
      var b00 = zero
      var b01 = zero
      var b10 = zero
      var b11 = zero
      var b20 = zero
      var b21 = zero
      var b30 = zero
      var b31 = zero
      var w = unsafe weights
      for ky in 0..<shape.kernel {
        var x = unsafe image + (2 * py + ky) * down + 4 * pair * right
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
          let y0 = unsafe x.broadcast(2 * right)
          b00 = b00.addingProduct(y0, left)
          b01 = b01.addingProduct(y0, next)
          let y1 = unsafe x.broadcast(3 * right)
          b10 = b10.addingProduct(y1, left)
          b11 = b11.addingProduct(y1, next)
          let y2 = unsafe x.broadcast(2 * right + down)
          b20 = b20.addingProduct(y2, left)
          b21 = b21.addingProduct(y2, next)
          let y3 = unsafe x.broadcast(2 * right + diagonal)
          b30 = b30.addingProduct(y3, left)
          b31 = b31.addingProduct(y3, next)
          unsafe x += 1
          unsafe w += 2 * laneCount
        }
      }
      let at = (py * shape.pooledWidth + 2 * pair) * shape.channels
      let beside = at + shape.channels
      unsafe pool(a00, a10, a20, a30, bias, output + at, winners + at, place)
      unsafe pool(a01, a11, a21, a31, bias + laneCount, output + at + laneCount, winners + at + laneCount, place)
      unsafe pool(b00, b10, b20, b30, bias, output + beside, winners + beside, place)
      unsafe pool(
        b01, b11, b21, b31, bias + laneCount, output + beside + laneCount, winners + beside + laneCount, place)
    }
    for px in 2 * pairs..<shape.pooledWidth {
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
    for top in stride(from: 0, to: shape.pooledHeight, by: shape.band) {
      let rows = top..<min(top + shape.band, shape.pooledHeight)
      unsafe listWindows(gradient.base + at, winners.base + at, rows, shape, scratch)
      for channel in 0..<shape.channels {
        unsafe addPatches(image, scratch, channel, shape)
      }
      if let imageGradient = unsafe imageGradient {
        for channel in 0..<shape.channels { unsafe spreadPatches(imageGradient, scratch, channel, shape) }
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

/// Lists each channel's windows of these rows that have a gradient, in order, and adds them to the bias' gradient.
private func listWindows(
  _ gradient: UnsafePointer<Float>, _ winners: UnsafePointer<Float>, _ rows: Range<Int>,
  _ shape: PooledConvolutionShape,
  _ scratch: PooledConvolutionScratch
) {
  let (places, gradients) = unsafe (scratch.places.base, scratch.gradients.base)
  let (counts, totals, open) = unsafe (scratch.counts.base, scratch.biasTotals.base, scratch.open.base)
  let capacity = shape.band * shape.pooledWidth
  let channels = shape.channels
  let down = Int32(truncatingIfNeeded: shape.stride)
  let right = Int32(truncatingIfNeeded: shape.inputChannels)
  let zero = Lanes(repeating: 0)
  scratch.counts.fill(0)
  for window in rows.lowerBound * shape.pooledWidth..<rows.upperBound * shape.pooledWidth {
    let (py, px) = window.quotientAndRemainder(dividingBy: shape.pooledWidth)
    let corner = 2 &* Int32(truncatingIfNeeded: py) &* down &+ 2 &* Int32(truncatingIfNeeded: px) &* right
    let (g, winner) = unsafe (gradient + window * channels, winners + window * channels)
    // A closed ReLU's mark is negative.
    for channel in stride(from: 0, to: channels, by: laneCount) {
      let value = unsafe g.lanes(channel).replacing(with: zero, where: winner.lanes(channel) .< zero)
      unsafe open.store(value, channel)
      unsafe totals.store(totals.lanes(channel) + value, channel)
    }
    // Channels innermost: no count is read again before it has long been written.
    for channel in 0..<channels {
      // Written always and kept only if it counts: no branch to guess wrong.
      let place = unsafe Int32(bitPattern: winner[channel].bitPattern)
      let value = unsafe open[channel].bitPattern
      let count = unsafe counts[channel]
      let entry = channel &* capacity &+ Int(count)
      unsafe places[entry] = corner &+ (down & (0 &- (place &>> 1 & 1))) &+ (right & (0 &- (place & 1)))
      unsafe gradients[entry] = Float(bitPattern: value)
      unsafe counts[channel] = count &+ (value & 0x7FFF_FFFF != 0 ? 1 : 0)
    }
  }
}

/// Adds one channel's listed windows to its weights' gradient: the patches under them, each times its gradient.
private func addPatches(
  _ image: UnsafePointer<Float>, _ scratch: PooledConvolutionScratch, _ channel: Int, _ shape: PooledConvolutionShape
) {
  let list = channel * shape.band * shape.pooledWidth
  let (places, gradients) = unsafe (
    UnsafePointer(scratch.places.base) + list, UnsafePointer(scratch.gradients.base) + list
  )
  let count = Int(scratch.counts[channel])
  let length = shape.rowCount
  let totals = unsafe scratch.totals.base + channel * shape.kernel * length
  if shape.takesThreeRows {
    for j in stride(from: 0, to: length, by: 6 * laneCount) {
      unsafe addThreeRows(image + j, shape.stride, places, gradients, count, totals + j, length)
    }
  } else {
    for ky in 0..<shape.kernel {
      unsafe addPatchRows(image + ky * shape.stride, places, gradients, count, totals + ky * length, length)
    }
  }
}

/// Adds one channel's weights, times the gradients of its listed windows, to the input's gradient under them.
private func spreadPatches(
  _ image: UnsafeMutablePointer<Float>, _ scratch: PooledConvolutionScratch, _ channel: Int,
  _ shape: PooledConvolutionShape
) {
  let list = channel * shape.band * shape.pooledWidth
  let (places, gradients) = unsafe (
    UnsafePointer(scratch.places.base) + list, UnsafePointer(scratch.gradients.base) + list
  )
  let count = Int(scratch.counts[channel])
  let length = shape.rowCount
  let weights = unsafe UnsafePointer(scratch.backwardWeights.base) + channel * shape.kernel * length
  if shape.takesThreeRows {
    for j in stride(from: 0, to: length, by: 6 * laneCount) {
      unsafe spreadThreeRows(image + j, shape.stride, places, gradients, count, weights + j, length)
    }
  } else {
    for ky in 0..<shape.kernel {
      unsafe spreadPatchRows(image + ky * shape.stride, places, gradients, count, weights + ky * length, length)
    }
  }
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

/// The same for six vectors of each of a kernel's three rows, in eighteen of AVX-512's thirty-two registers.
@inline(never)
private func addThreeRows(
  _ image: UnsafePointer<Float>, _ down: Int, _ places: UnsafePointer<Int32>, _ gradients: UnsafePointer<Float>,
  _ count: Int,
  _ total: UnsafeMutablePointer<Float>, _ length: Int
) {
  let (second, third) = unsafe (total + length, total + 2 * length)
  var a0 = unsafe total.lanes(0)
  var a1 = unsafe total.lanes(laneCount)
  var a2 = unsafe total.lanes(2 * laneCount)
  var a3 = unsafe total.lanes(3 * laneCount)
  var a4 = unsafe total.lanes(4 * laneCount)
  var a5 = unsafe total.lanes(5 * laneCount)
  var b0 = unsafe second.lanes(0)
  var b1 = unsafe second.lanes(laneCount)
  var b2 = unsafe second.lanes(2 * laneCount)
  var b3 = unsafe second.lanes(3 * laneCount)
  var b4 = unsafe second.lanes(4 * laneCount)
  var b5 = unsafe second.lanes(5 * laneCount)
  var c0 = unsafe third.lanes(0)
  var c1 = unsafe third.lanes(laneCount)
  var c2 = unsafe third.lanes(2 * laneCount)
  var c3 = unsafe third.lanes(3 * laneCount)
  var c4 = unsafe third.lanes(4 * laneCount)
  var c5 = unsafe third.lanes(5 * laneCount)
  for entry in 0..<count {
    let g = unsafe gradients.broadcast(entry)
    let x = unsafe image + Int(places[entry])
    let y = unsafe x + down
    let z = unsafe y + down
    a0 = unsafe a0.addingProduct(g, x.lanes(0))
    a1 = unsafe a1.addingProduct(g, x.lanes(laneCount))
    a2 = unsafe a2.addingProduct(g, x.lanes(2 * laneCount))
    a3 = unsafe a3.addingProduct(g, x.lanes(3 * laneCount))
    a4 = unsafe a4.addingProduct(g, x.lanes(4 * laneCount))
    a5 = unsafe a5.addingProduct(g, x.lanes(5 * laneCount))
    b0 = unsafe b0.addingProduct(g, y.lanes(0))
    b1 = unsafe b1.addingProduct(g, y.lanes(laneCount))
    b2 = unsafe b2.addingProduct(g, y.lanes(2 * laneCount))
    b3 = unsafe b3.addingProduct(g, y.lanes(3 * laneCount))
    b4 = unsafe b4.addingProduct(g, y.lanes(4 * laneCount))
    b5 = unsafe b5.addingProduct(g, y.lanes(5 * laneCount))
    c0 = unsafe c0.addingProduct(g, z.lanes(0))
    c1 = unsafe c1.addingProduct(g, z.lanes(laneCount))
    c2 = unsafe c2.addingProduct(g, z.lanes(2 * laneCount))
    c3 = unsafe c3.addingProduct(g, z.lanes(3 * laneCount))
    c4 = unsafe c4.addingProduct(g, z.lanes(4 * laneCount))
    c5 = unsafe c5.addingProduct(g, z.lanes(5 * laneCount))
  }
  unsafe total.store(a0, 0)
  unsafe total.store(a1, laneCount)
  unsafe total.store(a2, 2 * laneCount)
  unsafe total.store(a3, 3 * laneCount)
  unsafe total.store(a4, 4 * laneCount)
  unsafe total.store(a5, 5 * laneCount)
  unsafe second.store(b0, 0)
  unsafe second.store(b1, laneCount)
  unsafe second.store(b2, 2 * laneCount)
  unsafe second.store(b3, 3 * laneCount)
  unsafe second.store(b4, 4 * laneCount)
  unsafe second.store(b5, 5 * laneCount)
  unsafe third.store(c0, 0)
  unsafe third.store(c1, laneCount)
  unsafe third.store(c2, 2 * laneCount)
  unsafe third.store(c3, 3 * laneCount)
  unsafe third.store(c4, 4 * laneCount)
  unsafe third.store(c5, 5 * laneCount)
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

/// The same for six vectors of each of a kernel's three rows.
@inline(never)
private func spreadThreeRows(
  _ image: UnsafeMutablePointer<Float>, _ down: Int, _ places: UnsafePointer<Int32>, _ gradients: UnsafePointer<Float>,
  _ count: Int, _ weights: UnsafePointer<Float>, _ length: Int
) {
  let (second, third) = unsafe (weights + length, weights + 2 * length)
  let a0 = unsafe weights.lanes(0)
  let a1 = unsafe weights.lanes(laneCount)
  let a2 = unsafe weights.lanes(2 * laneCount)
  let a3 = unsafe weights.lanes(3 * laneCount)
  let a4 = unsafe weights.lanes(4 * laneCount)
  let a5 = unsafe weights.lanes(5 * laneCount)
  let b0 = unsafe second.lanes(0)
  let b1 = unsafe second.lanes(laneCount)
  let b2 = unsafe second.lanes(2 * laneCount)
  let b3 = unsafe second.lanes(3 * laneCount)
  let b4 = unsafe second.lanes(4 * laneCount)
  let b5 = unsafe second.lanes(5 * laneCount)
  let c0 = unsafe third.lanes(0)
  let c1 = unsafe third.lanes(laneCount)
  let c2 = unsafe third.lanes(2 * laneCount)
  let c3 = unsafe third.lanes(3 * laneCount)
  let c4 = unsafe third.lanes(4 * laneCount)
  let c5 = unsafe third.lanes(5 * laneCount)
  for entry in 0..<count {
    let g = unsafe gradients.broadcast(entry)
    let x = unsafe image + Int(places[entry])
    let y = unsafe x + down
    let z = unsafe y + down
    unsafe x.store(x.lanes(0).addingProduct(g, a0), 0)
    unsafe x.store(x.lanes(laneCount).addingProduct(g, a1), laneCount)
    unsafe x.store(x.lanes(2 * laneCount).addingProduct(g, a2), 2 * laneCount)
    unsafe x.store(x.lanes(3 * laneCount).addingProduct(g, a3), 3 * laneCount)
    unsafe x.store(x.lanes(4 * laneCount).addingProduct(g, a4), 4 * laneCount)
    unsafe x.store(x.lanes(5 * laneCount).addingProduct(g, a5), 5 * laneCount)
    unsafe y.store(y.lanes(0).addingProduct(g, b0), 0)
    unsafe y.store(y.lanes(laneCount).addingProduct(g, b1), laneCount)
    unsafe y.store(y.lanes(2 * laneCount).addingProduct(g, b2), 2 * laneCount)
    unsafe y.store(y.lanes(3 * laneCount).addingProduct(g, b3), 3 * laneCount)
    unsafe y.store(y.lanes(4 * laneCount).addingProduct(g, b4), 4 * laneCount)
    unsafe y.store(y.lanes(5 * laneCount).addingProduct(g, b5), 5 * laneCount)
    unsafe z.store(z.lanes(0).addingProduct(g, c0), 0)
    unsafe z.store(z.lanes(laneCount).addingProduct(g, c1), laneCount)
    unsafe z.store(z.lanes(2 * laneCount).addingProduct(g, c2), 2 * laneCount)
    unsafe z.store(z.lanes(3 * laneCount).addingProduct(g, c3), 3 * laneCount)
    unsafe z.store(z.lanes(4 * laneCount).addingProduct(g, c4), 4 * laneCount)
    unsafe z.store(z.lanes(5 * laneCount).addingProduct(g, c5), 5 * laneCount)
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
