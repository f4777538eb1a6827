// A convolution of any stride, without a patch matrix, and its gradients: for what `DirectConvolution` does not do.
//
// Channels last makes a row of a kernel's patch contiguous: its kernel width · inputChannels floats lie side by side in the image. Every
// product keeps a tile of sums in registers, each row of one or two vectors:
//
//     forward                  a row of the tile is a position of one output row · lanes along the output channels
//     the weights' gradient    a float of a patch's row                          · lanes along the output channels
//     the input's gradient     a position of one output row                      · lanes along a patch's row, added onto the image
//
// Legend: L floats in a patch's row

import Primitives
import Vectors

/// A convolution of certain sizes and any stride, with its buffers.
public struct StridedConvolution: SampleConvolution {
  public let shape: ConvolutionShape
  public let sums: ConvolutionSums
  /// The weights as the forward pass reads them, [channels / width][kernel height · L][width], and as the input's gradient does, [kernel
  /// height][L / width][output channels][width]; a width is one vector or two.
  private let forwardWeights: Buffer<Float>
  private let backwardWeights: Buffer<Float>
  /// One sample with the padding around it, and its gradient.
  private let image: Buffer<Float>
  private let imageGradient: Buffer<Float>

  private static func rowCount(_ shape: ConvolutionShape) -> Int { shape.kernelWidth * shape.inputChannels }
  private var rowCount: Int { Self.rowCount(shape) }
  /// From a row of the padded image to the next, and from a position of an output row to the next.
  private var rowStride: Int { (shape.width + 2 * shape.padding) * shape.inputChannels }
  private var step: Int { shape.stride * shape.inputChannels }
  private var taps: Int { shape.kernelHeight * rowCount }

  /// Whole vectors of output channels, and of a patch's row where an input gradient is asked for.
  public static func fits(_ shape: ConvolutionShape, needsInputGradient: Bool) -> Bool {
    shape.outputChannels % laneCount == 0 && (!needsInputGradient || rowCount(shape) % laneCount == 0)
  }

  public init?(_ shape: ConvolutionShape, needsInputGradient: Bool) {
    guard Self.fits(shape, needsInputGradient: needsInputGradient) else { return nil }
    self.shape = shape
    sums = ConvolutionSums(shape)
    let weights = shape.patch * shape.outputChannels
    let padded = (shape.height + 2 * shape.padding) * (shape.width + 2 * shape.padding) * shape.inputChannels
    forwardWeights = Buffer(count: weights)
    backwardWeights = Buffer(count: needsInputGradient ? weights : 0)
    image = Buffer(count: shape.padding > 0 ? padded : 0)
    imageGradient = Buffer(count: needsInputGradient && shape.padding > 0 ? padded : 0)
  }

  public func beginForward(_ weights: Buffer<Float>) {
    let width = tileVectors(in: shape.outputChannels) * laneCount
    for group in 0..<shape.outputChannels / width {
      for tap in 0..<taps {
        let (from, to) = (tap * shape.outputChannels + group * width, (group * taps + tap) * width)
        forwardWeights[to..<to + width].copy(from: weights[from..<from + width])
      }
    }
  }

  public func convolve(_ input: Buffer<Float>, bias: Buffer<Float>, into output: Buffer<Float>, rectifying: Bool) {
    let image = padded(input)
    let vectors = tileVectors(in: shape.outputChannels)
    for group in stride(from: 0, to: shape.outputChannels, by: vectors * laneCount) {
      for y in 0..<shape.outputHeight {
        forEachTile(of: shape.outputWidth, vectors: vectors) { x, rows in
          unsafe onTile(
            rows: rows, vectors: vectors,
            ForwardTile(
              image: image.base + y * shape.stride * rowStride + x * step, rowStride: rowStride, step: step,
              weights: forwardWeights.base + group * taps, kernelHeight: shape.kernelHeight, rowCount: rowCount,
              bias: bias.base + group,
              output: output.base + (y * shape.outputWidth + x) * shape.outputChannels + group,
              channels: shape.outputChannels, rectifying: rectifying))
        }
      }
    }
  }

  public func beginBackward(_ weights: Buffer<Float>, needsInputGradient: Bool) {
    precondition(!needsInputGradient || backwardWeights.count > 0, "a convolution made without an input gradient")
    sums.weights.fill(0)
    guard needsInputGradient else { return }
    let width = tileVectors(in: rowCount) * laneCount
    let channels = shape.outputChannels
    for tap in 0..<taps {
      // `tap / width` counts the groups of all of the kernel's rows, for a row is whole groups.
      for channel in 0..<channels {
        unsafe backwardWeights.base[(tap / width * channels + channel) * width + tap % width] =
          weights.base[tap * channels + channel]
      }
    }
  }

  public func differentiate(_ input: Buffer<Float>, _ gradient: Buffer<Float>, inputGradient: Buffer<Float>?) {
    let image = padded(input)
    let channels = shape.outputChannels
    let vectors = tileVectors(in: channels)
    for group in stride(from: 0, to: channels, by: vectors * laneCount) {
      for ky in 0..<shape.kernelHeight {
        forEachTile(of: rowCount, vectors: vectors) { place, rows in
          unsafe onTile(
            rows: rows, vectors: vectors,
            WeightsTile(
              image: image.base + ky * rowStride + place, rowStride: rowStride * shape.stride, step: step,
              gradient: gradient.base + group, height: shape.outputHeight, width: shape.outputWidth,
              channels: channels, totals: sums.weights.base + (ky * rowCount + place) * channels + group))
        }
      }
    }
    if let inputGradient { differentiateInput(gradient, into: inputGradient) }
  }

  public func completeWeights() {}

  private func differentiateInput(_ gradient: Buffer<Float>, into inputGradient: Buffer<Float>) {
    let target = shape.padding > 0 ? imageGradient : inputGradient
    let vectors = tileVectors(in: rowCount)
    target.fill(0)
    for y in 0..<shape.outputHeight {
      for ky in 0..<shape.kernelHeight {
        for place in stride(from: 0, to: rowCount, by: vectors * laneCount) {
          forEachTile(of: shape.outputWidth, vectors: vectors) { x, rows in
            unsafe onTile(
              rows: rows, vectors: vectors,
              InputTile(
                gradient: gradient.base + (y * shape.outputWidth + x) * shape.outputChannels,
                channels: shape.outputChannels,
                weights: backwardWeights.base + (ky * rowCount + place) * shape.outputChannels,
                target: target.base + (y * shape.stride + ky) * rowStride + x * step + place, step: step))
          }
        }
      }
    }
    guard shape.padding > 0 else { return }
    let row = shape.width * shape.inputChannels
    for y in 0..<shape.height {
      let from = (y + shape.padding) * rowStride + shape.padding * shape.inputChannels
      inputGradient[y * row..<(y + 1) * row].copy(from: imageGradient[from..<from + row])
    }
  }

  /// The image with zeros around it: `input` itself if it needs none, else a copy, whose border is zero already.
  private func padded(_ input: Buffer<Float>) -> Buffer<Float> {
    guard shape.padding > 0 else { return input }
    let row = shape.width * shape.inputChannels
    for y in 0..<shape.height {
      let to = (y + shape.padding) * rowStride + shape.padding * shape.inputChannels
      image[to..<to + row].copy(from: input[y * row..<(y + 1) * row])
    }
    return image
  }
}

/// Cuts `count` rows into tiles that fit into the registers.
@inline(__always)
private func forEachTile(of count: Int, vectors: Int, _ body: (_ start: Int, _ rows: Int) -> Void) {
  let most = vectors == 2 ? (laneCount == 16 ? 8 : 6) : (laneCount == 16 ? 14 : 8)
  var start = 0
  while start < count {
    let left = count - start
    // Between eight rows and fourteen there is no tile.
    let rows = left >= most ? most : min(left, 8)
    body(start, rows)
    start += rows
  }
}

/// What is done on a tile of sums.
private protocol TileWork {
  func run<Tile: ConvolutionTile>(on tile: Tile.Type)
}

/// Does the work on a tile of this size. It is a call, because within the loops over tiles its many sizes take the compiler long.
@inline(never)
private func onTile(rows: Int, vectors: Int, _ work: some TileWork) {
  if vectors == 2 {
    switch rows {
    case 1: work.run(on: RegisterTile<1>.self)
    case 2: work.run(on: RegisterTile<2>.self)
    case 3: work.run(on: RegisterTile<3>.self)
    case 4: work.run(on: RegisterTile<4>.self)
    case 5: work.run(on: RegisterTile<5>.self)
    case 6: work.run(on: RegisterTile<6>.self)
    case 7: work.run(on: RegisterTile<7>.self)
    default: work.run(on: RegisterTile<8>.self)
    }
  } else {
    switch rows {
    case 1: work.run(on: Registers<1>.self)
    case 2: work.run(on: Registers<2>.self)
    case 3: work.run(on: Registers<3>.self)
    case 4: work.run(on: Registers<4>.self)
    case 5: work.run(on: Registers<5>.self)
    case 6: work.run(on: Registers<6>.self)
    case 7: work.run(on: Registers<7>.self)
    case 8: work.run(on: Registers<8>.self)
    default: work.run(on: Registers<14>.self)
    }
  }
}

/// Some positions of an output row.
@unsafe
private struct ForwardTile: TileWork {
  let image: UnsafePointer<Float>
  let rowStride: Int
  let step: Int
  let weights: UnsafePointer<Float>
  let kernelHeight: Int
  let rowCount: Int
  let bias: UnsafePointer<Float>
  let output: UnsafeMutablePointer<Float>
  let channels: Int
  let rectifying: Bool

  @inline(__always)
  func run<Tile: ConvolutionTile>(on tile: Tile.Type) {
    var sums = tile.init()
    var w = unsafe weights
    for ky in 0..<(unsafe kernelHeight) {
      var x = unsafe image + ky * rowStride
      for _ in 0..<(unsafe rowCount) {
        unsafe sums.addOuterProduct(x, stride: step, row: w)
        unsafe x += 1
        unsafe w += tile.width
      }
    }
    unsafe sums.addRow(bias)
    if unsafe rectifying { sums.rectify() }
    unsafe sums.store(to: output, stride: channels)
  }
}

/// Adds all positions to the sums of some of a patch's floats.
@unsafe
private struct WeightsTile: TileWork {
  let image: UnsafePointer<Float>
  let rowStride: Int
  let step: Int
  let gradient: UnsafePointer<Float>
  let height: Int
  let width: Int
  let channels: Int
  let totals: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<Tile: ConvolutionTile>(on tile: Tile.Type) {
    var sums = unsafe tile.init(totals, stride: channels)
    var g = unsafe gradient
    for y in 0..<(unsafe height) {
      var x = unsafe image + y * rowStride
      for _ in 0..<(unsafe width) {
        unsafe sums.addOuterProduct(x, stride: 1, row: g)
        unsafe x += step
        unsafe g += channels
      }
    }
    unsafe sums.store(to: totals, stride: channels)
  }
}

/// Adds the gradients of some positions of an output row onto part of a row of the image.
@unsafe
private struct InputTile: TileWork {
  let gradient: UnsafePointer<Float>
  let channels: Int
  let weights: UnsafePointer<Float>
  let target: UnsafeMutablePointer<Float>
  let step: Int

  @inline(__always)
  func run<Tile: ConvolutionTile>(on tile: Tile.Type) {
    var sums = tile.init()
    for channel in 0..<(unsafe channels) {
      unsafe sums.addOuterProduct(gradient + channel, stride: channels, row: weights + channel * tile.width)
    }
    // One row after the other, for neighbours overlap.
    unsafe sums.write(to: target, stride: step, .add)
  }
}
