// One pass for a 3×3 convolution of a single channel, ReLU and 2×2 max-pooling, and its weight gradient.
//
// Lanes run along the output channels (channels last), and the nine taps of a channel group stay in registers. A pooling
// window's four positions share 4×4 pixels, each loaded once for up to four products; two neighbouring windows at a time are
// the eight independent sums that keep two multiply-adders of latency 4 busy. Forward's products are written out:
// each pixel meets other taps at each of the four positions.
//
// Legend: a0…a3, b0…b3 the four positions of two windows (row by row) · w0…w8 the taps (row by row) · x one pixel in all lanes

internal import CIntrinsics
import Primitives
import Vectors

/// The sizes of a fused convolution: images [height, width], `channels` filters of 3×3, valid, then 2×2 pooling.
public struct FusedConvolutionShape: Sendable {
  /// The image's rows.
  public let height: Int
  /// The image's columns.
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

  /// The pooled map's rows, (height − 2) / 2; an odd last row is dropped.
  public var pooledHeight: Int { (height - 2) / 2 }
  /// The pooled map's columns, (width − 2) / 2; an odd last column is dropped.
  public var pooledWidth: Int { (width - 2) / 2 }
  /// The floats of one sample's pooled map [pooledHeight, pooledWidth, channels].
  public var pooledCount: Int { pooledHeight * pooledWidth * channels }
  /// The floats of scratch that the gradient needs.
  public var scratchCount: Int { 10 * channels + 4 * quads }
  /// The 2×2 squares of an image that can lie under one tap of a window: those with their upper left corner at (y, x) for
  /// y < height − 1, x < width − 1.
  fileprivate var quads: Int { (height - 1) * (width - 1) }
}

/// `output[n, py, px, c] = max(0, max over the 2×2 window of (bias[c] + Σ taps · pixels))`, and `winners`, the position of each
/// maximum (the first in row order on a tie, as PyTorch and Keras choose), for
/// ``fusedConvolutionGradient(_:winners:input:into:bias:samples:_:scratch:_:)``.
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
        poolPlaces.base, shape)
    }
  }
}

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
  for py in 0..<shape.pooledHeight {
    var pixel = unsafe image + 2 * py * width
    var at = py * shape.pooledWidth * channels
    for _ in 0..<shape.pooledWidth {
      var x = unsafe pixel.broadcast(0)
      var a0 = x * w0
      x = unsafe pixel.broadcast(1)
      a0 = a0.addingProduct(x, w1)
      var a1 = x * w0
      x = unsafe pixel.broadcast(2)
      a0 = a0.addingProduct(x, w2)
      a1 = a1.addingProduct(x, w1)
      x = unsafe pixel.broadcast(3)
      a1 = a1.addingProduct(x, w2)
      x = unsafe pixel.broadcast(width)
      a0 = a0.addingProduct(x, w3)
      var a2 = x * w0
      x = unsafe pixel.broadcast(width + 1)
      a0 = a0.addingProduct(x, w4)
      a1 = a1.addingProduct(x, w3)
      a2 = a2.addingProduct(x, w1)
      var a3 = x * w0
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
      unsafe pool(a0, a1, a2, a3, bias, output + at, winners + at, place)
      unsafe pixel += 2
      at += channels
    }
  }
}

/// The gradients of the weights and bias of ``fusedConvolution(_:weights:bias:into:winners:samples:_:)``, summed over the
/// samples and then written or added once.
///
/// `gradient` and `winners` as `output` there; `input` its input. The pooled gradient is zero at three of a window's four
/// positions; each lane picks the pixel under its own winner, so that only the quarter that is not zero is multiplied.
/// `scratch` holds `shape.scratchCount` floats.
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
  let quads = scratch[10 * shape.channels..<shape.scratchCount]
  totals.fill(0)
  for sample in 0..<samples {
    unsafe gatherQuads(input.base + sample * shape.height * shape.width, quads.base, shape)
    for group in stride(from: 0, to: shape.channels, by: laneCount) {
      let at = sample * shape.pooledCount + group
      unsafe accumulateGroup(quads.base, gradient.base + at, winners.base + at, totals.base + group, shape)
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

/// `quads[y, x]` = the pixels (y, x), (y, x + 1), (y + 1, x), (y + 1, x + 1): what one tap sees at a window's four positions.
private func gatherQuads(
  _ image: UnsafePointer<Float>, _ quads: UnsafeMutablePointer<Float>, _ shape: FusedConvolutionShape
) {
  var quad = UnsafeMutableRawPointer(quads)
  for y in 0..<shape.height - 1 {
    let upper = unsafe image + y * shape.width
    let lower = unsafe upper + shape.width
    for x in 0..<shape.width - 1 {
      unsafe quad.storeBytes(of: SIMD4(upper[x], upper[x + 1], lower[x], lower[x + 1]), as: SIMD4<Float>.self)
      unsafe quad += 16
    }
  }
}

@inline(never)
private func accumulateGroup(
  _ quads: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, _ winners: UnsafePointer<Float>,
  _ totals: UnsafeMutablePointer<Float>, _ shape: FusedConvolutionShape
) {
  let channels = shape.channels
  // Floats between a quad and the one below it.
  let row = 4 * (shape.width - 1)
  var taps = unsafe Registers<9>(totals, stride: channels)
  var b = unsafe totals.lanes(9 * channels)
  let zero = Lanes(repeating: 0)
  for py in 0..<shape.pooledHeight {
    var quad = unsafe quads + 2 * py * row
    var at = py * shape.pooledWidth * channels
    for _ in 0..<shape.pooledWidth {
      let winner = unsafe winners.lanes(at)
      let g = unsafe gradient.lanes(at).replacing(with: zero, where: winner .< zero)
      b += g
      for tap in 0..<9 {
        let under = unsafe quad + tap / 3 * row + tap % 3 * 4
        taps[tap] = unsafe taps[tap].addingProduct(under.picked(by: winner), g)
      }
      unsafe quad += 8
      at += channels
    }
  }
  unsafe taps.store(to: totals, stride: channels)
  unsafe totals.store(b, 9 * channels)
}

extension UnsafePointer<Float> {
  /// Lane i is the float at `index[i]`'s lowest two bits from here.
  @inline(__always)
  fileprivate func picked(by index: Lanes) -> Lanes {
    #if LOCKSTEP_LANES_16
      unsafe lockstep_pick16(self, unsafeBitCast(index, to: SIMD16<Int32>.self))
    #else
      unsafe lockstep_pick8(self, unsafeBitCast(index, to: SIMD8<Int32>.self))
    #endif
  }
}
