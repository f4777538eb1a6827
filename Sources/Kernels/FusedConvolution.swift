// One pass for a 3×3 convolution of a single channel, ReLU and 2×2 max-pooling, and its weight gradient.
//
// Lanes run along the output channels (channels last), the nine taps of a channel group stay in registers, and the four
// positions of a pooling window are computed at once: its 4×4 pixels are each loaded once for up to four products. The
// taps are written out because a loop over them would have to be unrolled for the registers to hold.
//
// Legend: a0…a3 the window's four positions (row by row) · w0…w8 the taps (row by row) · x one pixel in all lanes

/// The sizes of a fused convolution: images [height, width], `channels` filters of 3×3, valid, then 2×2 pooling.
public struct FusedConvolutionShape: Sendable {
  /// The image's rows and columns.
  public let height: Int
  public let width: Int
  /// The filters; a multiple of ``laneCount``.
  public let channels: Int

  /// Sizes that this kernel can do, or nil: the caller then keeps the three layers apart.
  public init?(height: Int, width: Int, channels: Int) {
    guard height >= 4, width >= 4, channels % laneCount == 0 else { return nil }
    self.height = height
    self.width = width
    self.channels = channels
  }

  /// The pooled map's rows and columns: (height − 2) / 2, (width − 2) / 2; an odd last row or column is dropped.
  public var pooledHeight: Int { (height - 2) / 2 }
  public var pooledWidth: Int { (width - 2) / 2 }
  /// The floats of one sample's pooled map [pooledHeight, pooledWidth, channels].
  public var pooledCount: Int { pooledHeight * pooledWidth * channels }
  /// The floats of scratch that the gradient needs.
  public var scratchCount: Int { pooledHeight * pooledWidth * 4 * laneCount + 10 * channels }
}

/// `output[n, py, px, c] = max(0, max over the 2×2 window of (bias[c] + Σ taps · pixels))`, and `winners`, the position of each
/// maximum (the first in row order on a tie, as PyTorch and Keras choose), for ``fusedConvolutionGradient``.
///
/// `input` [samples, height, width] · `weights` [3, 3, 1, channels] · `bias` [channels] · `output`, `winners`
/// [samples, pooledHeight, pooledWidth, channels].
public func fusedConvolution(
  _ input: Buffer<Float>, weights: Buffer<Float>, bias: Buffer<Float>, into output: Buffer<Float>,
  winners: Buffer<Float>, samples: Int, _ shape: FusedConvolutionShape
) {
  precondition(input.count == samples * shape.height * shape.width, "fused convolution of \(input.count) pixels")
  precondition(
    output.count == samples * shape.pooledCount && winners.count == output.count,
    "fused convolution into \(output.count) and \(winners.count) floats")
  precondition(weights.count == 9 * shape.channels && bias.count == shape.channels, "fused convolution's weights")
  for sample in 0..<samples {
    for group in stride(from: 0, to: shape.channels, by: laneCount) {
      unsafe convolveGroup(
        input.base + sample * shape.height * shape.width, weights.base + group, bias.base + group,
        output.base + sample * shape.pooledCount + group, winners.base + sample * shape.pooledCount + group,
        places.base, shape)
    }
  }
}

/// The five values of a winner, each in all lanes: 0…3 the window's positions, 4 where its ReLU is closed. Floats, because
/// comparing and blending them stays in vector registers on every target; in memory, because the compiler would split
/// the blends of literals in halves.
private let places = Buffer<Float>((0..<5 * laneCount).map { Float($0 / laneCount) })

private func convolveGroup(
  _ image: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ winners: UnsafeMutablePointer<Float>, _ place: UnsafePointer<Float>,
  _ shape: FusedConvolutionShape
) {
  let channels = shape.channels
  let width = shape.width
  let w0 = unsafe weights.lanes(0 * channels)
  let w1 = unsafe weights.lanes(1 * channels)
  let w2 = unsafe weights.lanes(2 * channels)
  let w3 = unsafe weights.lanes(3 * channels)
  let w4 = unsafe weights.lanes(4 * channels)
  let w5 = unsafe weights.lanes(5 * channels)
  let w6 = unsafe weights.lanes(6 * channels)
  let w7 = unsafe weights.lanes(7 * channels)
  let w8 = unsafe weights.lanes(8 * channels)
  let b = unsafe bias.lanes(0)
  let zero = Lanes(repeating: 0)
  for py in 0..<shape.pooledHeight {
    var pixel = unsafe image + 2 * py * width
    var at = py * shape.pooledWidth * channels
    for _ in 0..<shape.pooledWidth {
      var a0 = b
      var a1 = b
      var a2 = b
      var a3 = b
      var x: Lanes
      x = unsafe pixel.broadcast(0)
      a0 = a0.addingProduct(x, w0)
      x = unsafe pixel.broadcast(1)
      a0 = a0.addingProduct(x, w1)
      a1 = a1.addingProduct(x, w0)
      x = unsafe pixel.broadcast(2)
      a0 = a0.addingProduct(x, w2)
      a1 = a1.addingProduct(x, w1)
      x = unsafe pixel.broadcast(3)
      a1 = a1.addingProduct(x, w2)
      x = unsafe pixel.broadcast(width)
      a0 = a0.addingProduct(x, w3)
      a2 = a2.addingProduct(x, w0)
      x = unsafe pixel.broadcast(width + 1)
      a0 = a0.addingProduct(x, w4)
      a1 = a1.addingProduct(x, w3)
      a2 = a2.addingProduct(x, w1)
      a3 = a3.addingProduct(x, w0)
      x = unsafe pixel.broadcast(width + 2)
      a0 = a0.addingProduct(x, w5)
      a1 = a1.addingProduct(x, w4)
      a2 = a2.addingProduct(x, w2)
      a3 = a3.addingProduct(x, w1)
      x = unsafe pixel.broadcast(width + 3)
      a1 = a1.addingProduct(x, w5)
      a3 = a3.addingProduct(x, w2)
      x = unsafe pixel.broadcast(2 * width)
      a0 = a0.addingProduct(x, w6)
      a2 = a2.addingProduct(x, w3)
      x = unsafe pixel.broadcast(2 * width + 1)
      a0 = a0.addingProduct(x, w7)
      a1 = a1.addingProduct(x, w6)
      a2 = a2.addingProduct(x, w4)
      a3 = a3.addingProduct(x, w3)
      x = unsafe pixel.broadcast(2 * width + 2)
      a0 = a0.addingProduct(x, w8)
      a1 = a1.addingProduct(x, w7)
      a2 = a2.addingProduct(x, w5)
      a3 = a3.addingProduct(x, w4)
      x = unsafe pixel.broadcast(2 * width + 3)
      a1 = a1.addingProduct(x, w8)
      a3 = a3.addingProduct(x, w5)
      x = unsafe pixel.broadcast(3 * width)
      a2 = a2.addingProduct(x, w6)
      x = unsafe pixel.broadcast(3 * width + 1)
      a2 = a2.addingProduct(x, w7)
      a3 = a3.addingProduct(x, w6)
      x = unsafe pixel.broadcast(3 * width + 2)
      a2 = a2.addingProduct(x, w8)
      a3 = a3.addingProduct(x, w7)
      x = unsafe pixel.broadcast(3 * width + 3)
      a3 = a3.addingProduct(x, w8)
      let top = a0.replacing(with: a1, where: a1 .> a0)
      let bottom = a2.replacing(with: a3, where: a3 .> a2)
      let largest = top.replacing(with: bottom, where: bottom .> top)
      let topPlace = unsafe place.lanes(0).replacing(with: place.lanes(laneCount), where: a1 .> a0)
      let bottomPlace = unsafe place.lanes(2 * laneCount).replacing(with: place.lanes(3 * laneCount), where: a3 .> a2)
      let winner = unsafe topPlace.replacing(with: bottomPlace, where: bottom .> top)
        .replacing(with: place.lanes(4 * laneCount), where: largest .<= zero)
      unsafe output.store(largest.replacing(with: zero, where: largest .<= zero), at)
      unsafe winners.store(winner, at)
      unsafe pixel += 2
      at += channels
    }
  }
}

/// The gradients of ``fusedConvolution``'s weights and bias, summed over the samples and then written or added once.
///
/// `gradient` and `winners` as `output` there; `input` its input. The pooled gradient is zero at three of a window's four
/// positions, so only a quarter of the dense work is in it. `scratch` holds `shape.scratchCount` floats.
public func fusedConvolutionGradient(
  _ gradient: Buffer<Float>, winners: Buffer<Float>, input: Buffer<Float>, into weightsGradient: Buffer<Float>,
  bias biasGradient: Buffer<Float>, samples: Int, _ shape: FusedConvolutionShape, scratch: Buffer<Float>,
  _ accumulation: Accumulation
) {
  precondition(input.count == samples * shape.height * shape.width, "fused convolution's gradient: input")
  precondition(
    gradient.count == samples * shape.pooledCount && winners.count == gradient.count,
    "fused convolution's gradient of \(gradient.count) and \(winners.count) floats")
  precondition(
    weightsGradient.count == 9 * shape.channels && biasGradient.count == shape.channels,
    "fused convolution's gradient: weights")
  let totals = scratch[0..<10 * shape.channels]
  let routed = scratch[10 * shape.channels..<shape.scratchCount]
  totals.fill(0)
  for sample in 0..<samples {
    let image = unsafe UnsafePointer(input.base) + sample * shape.height * shape.width
    for group in stride(from: 0, to: shape.channels, by: laneCount) {
      let at = sample * shape.pooledCount + group
      unsafe routeGroup(gradient.base + at, winners.base + at, routed.base, shape)
      unsafe accumulateGroup(image, routed.base, totals.base + group, shape)
    }
  }
  let weights = totals[0..<9 * shape.channels]
  let bias = totals[9 * shape.channels..<10 * shape.channels]
  switch accumulation {
  case .replace:
    weightsGradient.copy(from: weights)
    biasGradient.copy(from: bias)
  case .add:
    add(weights, into: weightsGradient)
    add(bias, into: biasGradient)
  }
}

/// Spreads each pooled gradient to its winner: `routed` [window, 4, lanes], zero at the positions that lost. A pass of its own,
/// not inlined: beside the products the compiler would take the masks apart.
@inline(never)
private func routeGroup(
  _ gradient: UnsafePointer<Float>, _ winners: UnsafePointer<Float>, _ routed: UnsafeMutablePointer<Float>,
  _ shape: FusedConvolutionShape
) {
  let zero = Lanes(repeating: 0)
  for window in 0..<shape.pooledHeight * shape.pooledWidth {
    let g = unsafe gradient.lanes(window * shape.channels)
    let winner = unsafe winners.lanes(window * shape.channels)
    let at = window * 4 * laneCount
    unsafe routed.store(zero.replacing(with: g, where: winner .== Lanes(repeating: 0)), at)
    unsafe routed.store(zero.replacing(with: g, where: winner .== Lanes(repeating: 1)), at + laneCount)
    unsafe routed.store(zero.replacing(with: g, where: winner .== Lanes(repeating: 2)), at + 2 * laneCount)
    unsafe routed.store(zero.replacing(with: g, where: winner .== Lanes(repeating: 3)), at + 3 * laneCount)
  }
}

@inline(never)
private func accumulateGroup(
  _ image: UnsafePointer<Float>, _ routed: UnsafePointer<Float>, _ totals: UnsafeMutablePointer<Float>,
  _ shape: FusedConvolutionShape
) {
  let channels = shape.channels
  let width = shape.width
  var w0 = unsafe totals.lanes(0 * channels)
  var w1 = unsafe totals.lanes(1 * channels)
  var w2 = unsafe totals.lanes(2 * channels)
  var w3 = unsafe totals.lanes(3 * channels)
  var w4 = unsafe totals.lanes(4 * channels)
  var w5 = unsafe totals.lanes(5 * channels)
  var w6 = unsafe totals.lanes(6 * channels)
  var w7 = unsafe totals.lanes(7 * channels)
  var w8 = unsafe totals.lanes(8 * channels)
  var b = unsafe totals.lanes(9 * channels)
  var gradient = unsafe routed
  for py in 0..<shape.pooledHeight {
    var pixel = unsafe image + 2 * py * width
    for _ in 0..<shape.pooledWidth {
      let g0 = unsafe gradient.lanes(0)
      let g1 = unsafe gradient.lanes(laneCount)
      let g2 = unsafe gradient.lanes(2 * laneCount)
      let g3 = unsafe gradient.lanes(3 * laneCount)
      b += (g0 + g1) + (g2 + g3)
      var x: Lanes
      x = unsafe pixel.broadcast(0)
      w0 = w0.addingProduct(x, g0)
      x = unsafe pixel.broadcast(1)
      w1 = w1.addingProduct(x, g0)
      w0 = w0.addingProduct(x, g1)
      x = unsafe pixel.broadcast(2)
      w2 = w2.addingProduct(x, g0)
      w1 = w1.addingProduct(x, g1)
      x = unsafe pixel.broadcast(3)
      w2 = w2.addingProduct(x, g1)
      x = unsafe pixel.broadcast(width)
      w3 = w3.addingProduct(x, g0)
      w0 = w0.addingProduct(x, g2)
      x = unsafe pixel.broadcast(width + 1)
      w4 = w4.addingProduct(x, g0)
      w3 = w3.addingProduct(x, g1)
      w1 = w1.addingProduct(x, g2)
      w0 = w0.addingProduct(x, g3)
      x = unsafe pixel.broadcast(width + 2)
      w5 = w5.addingProduct(x, g0)
      w4 = w4.addingProduct(x, g1)
      w2 = w2.addingProduct(x, g2)
      w1 = w1.addingProduct(x, g3)
      x = unsafe pixel.broadcast(width + 3)
      w5 = w5.addingProduct(x, g1)
      w2 = w2.addingProduct(x, g3)
      x = unsafe pixel.broadcast(2 * width)
      w6 = w6.addingProduct(x, g0)
      w3 = w3.addingProduct(x, g2)
      x = unsafe pixel.broadcast(2 * width + 1)
      w7 = w7.addingProduct(x, g0)
      w6 = w6.addingProduct(x, g1)
      w4 = w4.addingProduct(x, g2)
      w3 = w3.addingProduct(x, g3)
      x = unsafe pixel.broadcast(2 * width + 2)
      w8 = w8.addingProduct(x, g0)
      w7 = w7.addingProduct(x, g1)
      w5 = w5.addingProduct(x, g2)
      w4 = w4.addingProduct(x, g3)
      x = unsafe pixel.broadcast(2 * width + 3)
      w8 = w8.addingProduct(x, g1)
      w5 = w5.addingProduct(x, g3)
      x = unsafe pixel.broadcast(3 * width)
      w6 = w6.addingProduct(x, g2)
      x = unsafe pixel.broadcast(3 * width + 1)
      w7 = w7.addingProduct(x, g2)
      w6 = w6.addingProduct(x, g3)
      x = unsafe pixel.broadcast(3 * width + 2)
      w8 = w8.addingProduct(x, g2)
      w7 = w7.addingProduct(x, g3)
      x = unsafe pixel.broadcast(3 * width + 3)
      w8 = w8.addingProduct(x, g3)
      unsafe pixel += 2
      unsafe gradient += 4 * laneCount
    }
  }
  unsafe totals.store(w0, 0 * channels)
  unsafe totals.store(w1, 1 * channels)
  unsafe totals.store(w2, 2 * channels)
  unsafe totals.store(w3, 3 * channels)
  unsafe totals.store(w4, 4 * channels)
  unsafe totals.store(w5, 5 * channels)
  unsafe totals.store(w6, 6 * channels)
  unsafe totals.store(w7, 7 * channels)
  unsafe totals.store(w8, 8 * channels)
  unsafe totals.store(b, 9 * channels)
}
