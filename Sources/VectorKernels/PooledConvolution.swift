// A convolution of many channels, ReLU and 2×2 max-pooling in one pass, and its gradients.
//
// Channels last makes a row of a kernel's patch contiguous: its kernelWidth · inputChannels floats lie side by side in the image.
// Forward: lanes along the output channels, two vectors of them by a window's four positions in registers. Backward: three of
// a window's four positions have no gradient, and closed ReLUs none at all, so what is left is kept as a list for each output
// channel, and lanes run along the patch's rows. So many rows of windows are taken at once as keep their pixels in the first-level
// cache while all channels pass over them.
//
// Legend: L floats in a patch's row · c output channel

import Primitives
import Vectors

/// The sizes of a pooled convolution: input [height, width, inputChannels], kernel [kernel, kernel], valid, then 2×2 pooling.
public struct PooledConvolutionShape: Sendable {
  /// The input's rows.
  public let height: Int
  /// The input's columns.
  public let width: Int
  /// The input's channels.
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

  /// The pooled map's rows; an odd last one is dropped.
  public var pooledHeight: Int { (height - kernel + 1) / 2 }
  /// The pooled map's columns; an odd last one is dropped.
  public var pooledWidth: Int { (width - kernel + 1) / 2 }
  /// The floats of one sample's input.
  public var inputCount: Int { height * width * inputChannels }
  /// The floats of one sample's pooled map.
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
  /// Each channel's windows with a gradient, in a band of rows of windows: where the winner's patch begins in the
  /// input, the gradient [channels][band · pooledWidth], and how many there are.
  fileprivate let places: Buffer<Int32>
  fileprivate let gradients: Buffer<Float>
  fileprivate let counts: Buffer<Int32>
  /// One window's gradients; 0 for closed ReLUs.
  fileprivate let open: Buffer<Float>

  /// The buffers for `shape`.
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
  // Two windows side by side where there are registers for them: the weights are read half as often.
  let paired = laneCount == 16 ? shape.pooledWidth / 2 * 2 : 0
  for py in 0..<shape.pooledHeight {
    let row = unsafe image + 2 * py * shape.stride
    for px in stride(from: 0, to: paired, by: 2) {
      let at = (py * shape.pooledWidth + px) * shape.channels
      unsafe convolveWindows(
        RegisterTile<4>.self, row + 2 * px * shape.inputChannels, weights, bias, output + at, winners + at, place, shape
      )
    }
    for px in paired..<shape.pooledWidth {
      let at = (py * shape.pooledWidth + px) * shape.channels
      unsafe convolveWindows(
        RegisterTile<2>.self, row + 2 * px * shape.inputChannels, weights, bias, output + at, winners + at, place, shape
      )
    }
  }
}

/// One window or two neighbouring ones; a row of a tile is one of the two or four positions of their upper or lower halves.
@inline(__always)
private func convolveWindows<let columns: Int>(
  _ tile: RegisterTile<columns>.Type, _ image: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
  _ bias: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>, _ winners: UnsafeMutablePointer<Float>,
  _ place: UnsafePointer<Float>, _ shape: PooledConvolutionShape
) {
  var upper = tile.init()
  var lower = tile.init()
  var w = unsafe weights
  for ky in 0..<shape.kernel {
    var x = unsafe image + ky * shape.stride
    for _ in 0..<shape.rowCount {
      let (left, right) = unsafe (w.lanes(0), w.lanes(laneCount))
      unsafe upper.addOuterProduct(x, stride: shape.inputChannels, left, right)
      unsafe lower.addOuterProduct(x + shape.stride, stride: shape.inputChannels, left, right)
      unsafe x += 1
      unsafe w += 2 * laneCount
    }
  }
  let next = unsafe (bias: bias + laneCount, output: output + laneCount, winners: winners + laneCount)
  unsafe pool(upper.left[0], upper.left[1], lower.left[0], lower.left[1], bias, output, winners, place)
  unsafe pool(
    upper.right[0], upper.right[1], lower.right[0], lower.right[1], next.bias, next.output, next.winners, place)
  guard columns == 4 else { return }
  let channels = shape.channels
  unsafe pool(
    upper.left[2], upper.left[3], lower.left[2], lower.left[3], bias, output + channels, winners + channels, place)
  unsafe pool(
    upper.right[2], upper.right[3], lower.right[2], lower.right[3], next.bias, next.output + channels,
    next.winners + channels, place)
}

/// The gradients of ``pooledConvolution(_:weights:bias:into:winners:samples:_:scratch:)``: of its weights and bias, summed
/// over the samples and then written or added once, and of its input if that is asked for. Follows the forward pass of the same samples and weights.
///
/// `isLaidOut` says that the last call with this scratch had these very weights.
public func pooledConvolutionGradient(
  _ gradient: Buffer<Float>, winners: Buffer<Float>, input: Buffer<Float>, weights: Buffer<Float>,
  into weightsGradient: Buffer<Float>, bias biasGradient: Buffer<Float>, inputGradient: Buffer<Float>?, samples: Int,
  _ shape: PooledConvolutionShape, scratch: PooledConvolutionScratch, isLaidOut: Bool = false,
  _ accumulation: Accumulation
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
  if !isLaidOut { transpose(weights, rows: taps, columns: shape.channels, into: scratch.backwardWeights) }
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
    var sums = unsafe Registers<12>(total + j)
    for entry in 0..<count {
      unsafe sums.addProducts(image + Int(places[entry]) + j, gradients.broadcast(entry))
    }
    unsafe sums.store(to: total + j)
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
  var first = unsafe Registers<6>(total)
  var second = unsafe Registers<6>(total + length)
  var third = unsafe Registers<6>(total + 2 * length)
  for entry in 0..<count {
    let g = unsafe gradients.broadcast(entry)
    let x = unsafe image + Int(places[entry])
    unsafe first.addProducts(x, g)
    unsafe second.addProducts(x + down, g)
    unsafe third.addProducts(x + 2 * down, g)
  }
  unsafe first.store(to: total)
  unsafe second.store(to: total + length)
  unsafe third.store(to: total + 2 * length)
}

/// `image[place + j] += gradient · weights[j]` for each entry of the list in order and the `length` floats of a patch's row.
@inline(never)
private func spreadPatchRows(
  _ image: UnsafeMutablePointer<Float>, _ places: UnsafePointer<Int32>, _ gradients: UnsafePointer<Float>,
  _ count: Int, _ weights: UnsafePointer<Float>, _ length: Int
) {
  var j = 0
  while j + 12 * laneCount <= length {
    let w = unsafe Registers<12>(weights + j)
    for entry in 0..<count {
      unsafe w.addProducts(to: image + Int(places[entry]) + j, gradients.broadcast(entry))
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
  let first = unsafe Registers<6>(weights)
  let second = unsafe Registers<6>(weights + length)
  let third = unsafe Registers<6>(weights + 2 * length)
  for entry in 0..<count {
    let g = unsafe gradients.broadcast(entry)
    let x = unsafe image + Int(places[entry])
    unsafe first.addProducts(to: x, g)
    unsafe second.addProducts(to: x + down, g)
    unsafe third.addProducts(to: x + 2 * down, g)
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
