// A 3×3 convolution of stride 1 by Winograd's minimal filtering F(2×2, 3×3), with or without a ReLU behind it, and its gradients.
//
// Four outputs, a square of 2×2, follow from a square of 4×4 inputs by 16 products a pair of channels, where the plain sum takes 36
// (Lavin & Gray 2016, "Fast algorithms for convolutional neural networks"; Winograd 1980):
//
//     Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
//
//     Bᵀ = 1  0 −1  0     G = 1    0    0       Aᵀ = 1  1  1  0
//          0  1  1  0         1/2  1/2  1/2          0  1 −1 −1
//          0 −1  1  0         1/2 −1/2  1/2
//          0  1  0 −1         0    0    1
//
// d the inputs, g the weights. Summed over input channels, ⊙ is 16 matrix products, one a place p of the 4×4: of the squares' inputs
// V [squares, inputChannels] and the weights U [inputChannels, outputChannels]. The gradients are those of this formula: the weights' is
// Gᵀ [Σ Vᵀ (A ∂Y Aᵀ)] G, 16 products again, and the input's is the same convolution of the output's gradient with the weights turned
// about. The transformations are additions, lanes along the channels; they round, so the values are those of the plain sum up to some
// units in the last place.
//
// Squares are taken in blocks, so that a block's V and products stay in the second-level cache. An odd side has half a square of zeros
// beyond its end, whose outputs are left out.

import Primitives
import Vectors

/// A convolution by Winograd's filtering of certain sizes, with its buffers.
public struct WinogradConvolution: SampleConvolution {
  public let shape: ConvolutionShape
  public let sums: ConvolutionSums
  /// The convolution, and that of the output's gradient, which gives the input's.
  private let forward: WinogradPass
  private let backward: WinogradPass
  /// The weights U of the two passes, [places][channels / width][inputChannels][width]; a width is one vector or two.
  private let forwardWeights: Buffer<Float>
  private let backwardWeights: Buffer<Float>
  /// A sample with zeros around it, and its output's gradient with zeros around it.
  private let image: Buffer<Float>
  private let paddedGradient: Buffer<Float>
  /// A block's V, and its products, [places][squares][channels], for the larger pass; the weights' gradient has the output's there.
  private let inputs: Buffer<Float>
  private let products: Buffer<Float>
  /// The gradient of U, [places][inputChannels][outputChannels].
  private let weightsProducts: Buffer<Float>

  /// A 3×3 kernel, a stride of 1, no padding or a row of it, and whole vectors of input and output channels.
  public static func fits(_ shape: ConvolutionShape, needsInputGradient: Bool) -> Bool {
    shape.stride == 1 && shape.kernelHeight == 3 && shape.kernelWidth == 3 && shape.padding <= 1
      && shape.inputChannels % laneCount == 0 && shape.outputChannels % laneCount == 0
  }

  public init?(_ shape: ConvolutionShape, needsInputGradient: Bool) {
    guard Self.fits(shape, needsInputGradient: needsInputGradient) else { return nil }
    let (from, to) = (shape.inputChannels, shape.outputChannels)
    self.shape = shape
    sums = ConvolutionSums(shape)
    forward = WinogradPass(
      height: shape.height, width: shape.width, inputChannels: from, channels: to, padding: shape.padding)
    backward = WinogradPass(
      height: shape.outputHeight, width: shape.outputWidth, inputChannels: to, channels: from,
      padding: 2 - shape.padding)
    let passes = [forward, backward]
    forwardWeights = Buffer(count: places * from * to)
    backwardWeights = Buffer(count: needsInputGradient ? places * from * to : 0)
    image = Buffer(count: forward.paddedCount)
    paddedGradient = Buffer(count: backward.paddedCount)
    inputs = Buffer(count: passes.map { places * $0.plane($0.inputChannels) }.max() ?? 0)
    products = Buffer(count: passes.map { places * $0.plane($0.channels) }.max() ?? 0)
    weightsProducts = Buffer(count: places * from * to)
  }

  public func beginForward(_ weights: Buffer<Float>) {
    unsafe transformWeights(weights.base, shape, into: forwardWeights.base)
  }

  public func convolve(
    _ input: Buffer<Float>, bias: Buffer<Float>, into output: Buffer<Float>, rectifying: Bool
  ) {
    unsafe forward.pad(input.base, into: image.base)
    unsafe convolve(image.base, forwardWeights.base, bias.base, output.base, forward, rectifying)
  }

  public func beginBackward(_ weights: Buffer<Float>, needsInputGradient: Bool) {
    precondition(!needsInputGradient || backwardWeights.count > 0, "a convolution made without an input gradient")
    weightsProducts.fill(0)
    if needsInputGradient { unsafe transformTurnedWeights(weights.base, shape, into: backwardWeights.base) }
  }

  public func differentiate(_ input: Buffer<Float>, _ gradient: Buffer<Float>, inputGradient: Buffer<Float>?) {
    unsafe forward.pad(input.base, into: image.base)
    unsafe backward.pad(gradient.base, into: paddedGradient.base)
    accumulateWeights()
    if let inputGradient {
      unsafe convolve(
        paddedGradient.base, backwardWeights.base, sums.noBias.base, inputGradient.base, backward, false)
    }
  }

  public func completeWeights() {
    unsafe transformWeightsGradient(weightsProducts.base, shape, into: sums.weights.base)
  }

  /// One sample: blocks of rows of squares, each transformed, multiplied, transformed back.
  private func convolve(
    _ padded: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
    _ output: UnsafeMutablePointer<Float>, _ pass: WinogradPass, _ rectifying: Bool
  ) {
    let (inputPlane, productPlane) = (pass.plane(pass.inputChannels), pass.plane(pass.channels))
    for first in stride(from: 0, to: pass.squareRows, by: pass.blockRows) {
      let rows = first..<min(first + pass.blockRows, pass.squareRows)
      let squares = pass.roundedUp(rows.count * pass.squareColumns)
      unsafe transformInputs(padded, rows, pass, into: inputs.base)
      // The outputs of a microbatch are in no near cache, and stores to them would wait. So they are asked for while the products are
      // worked out.
      let outputs = pass.outputs(of: rows)
      let part = (outputs.count + places - 1) / places
      for place in 0..<places {
        let start = outputs.lowerBound + place * part
        unsafe output.prefetchToWrite(start, count: min(part, outputs.upperBound - start))
        unsafe multiply(
          inputs.base + place * inputPlane, weights + place * pass.inputChannels * pass.channels,
          into: products.base + place * productPlane, squares: squares, pass)
      }
      unsafe transformProducts(products.base, rows, pass, bias, rectifying, into: output)
    }
  }

  /// Adds a sample's Vᵀ (A ∂Y Aᵀ) to the gradient of U.
  private func accumulateWeights() {
    let (inputPlane, gradientPlane) = (forward.plane(forward.inputChannels), forward.plane(forward.channels))
    for first in stride(from: 0, to: forward.squareRows, by: forward.blockRows) {
      let rows = first..<min(first + forward.blockRows, forward.squareRows)
      unsafe transformInputs(image.base, rows, forward, into: inputs.base)
      unsafe transformGradients(paddedGradient.base, rows, forward, backward, into: products.base)
      for place in 0..<places {
        unsafe accumulateProducts(
          inputs.base + place * inputPlane, products.base + place * gradientPlane,
          into: weightsProducts.base + place * forward.inputChannels * forward.channels,
          squares: rows.count * forward.squareColumns, forward)
      }
    }
  }
}

/// One pass of the kernel.
private struct WinogradPass {
  let height: Int
  let width: Int
  let inputChannels: Int
  let channels: Int
  let padding: Int

  var outputHeight: Int { height + 2 * padding - 2 }
  var outputWidth: Int { width + 2 * padding - 2 }
  /// The squares of a column and of a row of the output.
  var squareRows: Int { (outputHeight + 1) / 2 }
  var squareColumns: Int { (outputWidth + 1) / 2 }
  /// The image with zeros around it: all the pixels that the squares read.
  var paddedWidth: Int { 2 * squareColumns + 2 }
  var paddedCount: Int { (2 * squareRows + 2) * paddedWidth * inputChannels }

  /// The rows of squares of a block: as many as keep its inputs and products within 256 KB, one at least.
  var blockRows: Int { max(1, 65_536 / (places * (inputChannels + channels)) / squareColumns) }
  /// The squares of a block, up to whole tiles of registers.
  var blockSquares: Int { roundedUp(blockRows * squareColumns) }

  /// The output's floats of the squares in `rows`.
  func outputs(of rows: Range<Int>) -> Range<Int> {
    let line = outputWidth * channels
    return 2 * rows.lowerBound * line..<min(2 * rows.upperBound, outputHeight) * line
  }

  /// The vectors of a row of a tile of sums.
  var vectors: Int { tileVectors(in: channels) }

  /// Squares up to a number, of eight at least, which ``forEachTile(of:vectors:_:)`` divides.
  func roundedUp(_ squares: Int) -> Int {
    let step = 4 / vectors
    return max(8, (squares + step - 1) / step * step)
  }

  /// The floats from one place's matrix of a block to the next: an odd number of cache lines, so that those of all places do not meet in
  /// the same set of a cache.
  func plane(_ width: Int) -> Int { blockSquares * width + 16 }

  /// Puts zeros around `image` [height, width, inputChannels]. The border of `padded` is zero already.
  func pad(_ image: UnsafePointer<Float>, into padded: UnsafeMutablePointer<Float>) {
    let row = width * inputChannels
    for y in 0..<height {
      unsafe (padded + ((y + padding) * paddedWidth + padding) * inputChannels).update(
        from: image + y * row, count: row)
    }
  }
}

/// The places of a square of 4×4.
private let places = 16

/// V = Bᵀ d B of the squares in `rows`, a row of it at a time, [places][squares][inputChannels].
private func transformInputs(
  _ padded: UnsafePointer<Float>, _ rows: Range<Int>, _ pass: WinogradPass, into inputs: UnsafeMutablePointer<Float>
) {
  let (pixel, line) = (pass.inputChannels, pass.paddedWidth * pass.inputChannels)
  let plane = pass.plane(pass.inputChannels)
  var target = unsafe inputs
  for row in rows {
    for column in 0..<pass.squareColumns {
      let corner = unsafe padded + 2 * row * line + 2 * column * pixel
      for channel in stride(from: 0, to: pass.inputChannels, by: laneCount) {
        let d = unsafe corner + channel
        let v = unsafe target + channel
        unsafe storeColumns(Square(d, d + 2 * line, pixel).differences, to: v, plane)
        unsafe storeColumns(Square(d + line, d + 2 * line, pixel).sums, to: v + 4 * plane, plane)
        unsafe storeColumns(Square(d + 2 * line, d + line, pixel).differences, to: v + 8 * plane, plane)
        unsafe storeColumns(Square(d + line, d + 3 * line, pixel).differences, to: v + 12 * plane, plane)
      }
      unsafe target += pass.inputChannels
    }
  }
}

/// Two rows of four pixels.
private struct Square {
  let one: Registers<4>
  let other: Registers<4>

  @inline(__always)
  init(_ one: UnsafePointer<Float>, _ other: UnsafePointer<Float>, _ pixel: Int) {
    self.one = unsafe Registers(one, stride: pixel)
    self.other = unsafe Registers(other, stride: pixel)
  }

  @inline(__always)
  var differences: Registers<4> {
    var row = Registers<4>()
    for index in 0..<4 { row[index] = one[index] - other[index] }
    return row
  }

  @inline(__always)
  var sums: Registers<4> {
    var row = Registers<4>()
    for index in 0..<4 { row[index] = one[index] + other[index] }
    return row
  }
}

/// A row of V: `row` times B.
@inline(__always)
private func storeColumns(_ row: Registers<4>, to v: UnsafeMutablePointer<Float>, _ plane: Int) {
  unsafe v.store(row[0] - row[2], 0)
  unsafe v.store(row[1] + row[2], plane)
  unsafe v.store(row[2] - row[1], 2 * plane)
  unsafe v.store(row[1] - row[3], 3 * plane)
}

/// `products` [squares, channels] = `inputs` [squares, inputChannels] · `weights`, of one place.
private func multiply(
  _ inputs: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, into products: UnsafeMutablePointer<Float>,
  squares: Int, _ pass: WinogradPass
) {
  let vectors = pass.vectors
  for group in stride(from: 0, to: pass.channels, by: vectors * laneCount) {
    let w = unsafe weights + group * pass.inputChannels
    forEachTile(of: squares, vectors: vectors) { square, rows in
      let v = unsafe inputs + square * pass.inputChannels
      let target = unsafe products + square * pass.channels + group
      switch (vectors, rows) {
      case (2, 4): unsafe multiply(RegisterTile<4>.self, v, w, into: target, pass)
      case (2, _): unsafe multiply(RegisterTile<6>.self, v, w, into: target, pass)
      case (_, 8): unsafe multiply(Registers<8>.self, v, w, into: target, pass)
      default: unsafe multiply(Registers<12>.self, v, w, into: target, pass)
      }
    }
  }
}

/// Cuts `count` rows, of two vectors each into tiles of six and four, of one vector each into tiles of twelve and eight.
@inline(__always)
private func forEachTile(of count: Int, vectors: Int, _ body: (_ start: Int, _ rows: Int) -> Void) {
  let unit = 2 / vectors
  var start = 0
  while start < count {
    // The tiles of four that leave whole tiles of six of an even number of rows.
    let rest = (count - start) / unit % 6
    let rows = unit * (rest == 0 ? 6 : 4)
    body(start, rows)
    start += rows
  }
}

/// A row of the tile is one of neighbouring squares.
@inline(__always)
private func multiply<Tile: ConvolutionTile>(
  _ tile: Tile.Type, _ inputs: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
  into products: UnsafeMutablePointer<Float>, _ pass: WinogradPass
) {
  var sums = tile.init()
  var (v, w) = unsafe (inputs, weights)
  for _ in 0..<pass.inputChannels {
    unsafe sums.addOuterProduct(v, stride: pass.inputChannels, row: w)
    unsafe v += 1
    unsafe w += tile.width
  }
  unsafe sums.store(to: products, stride: pass.channels)
}

/// Aᵀ m A of the squares in `rows`, with the bias, into the output's positions that there are.
private func transformProducts(
  _ products: UnsafePointer<Float>, _ rows: Range<Int>, _ pass: WinogradPass, _ bias: UnsafePointer<Float>,
  _ rectifying: Bool, into output: UnsafeMutablePointer<Float>
) {
  let plane = pass.plane(pass.channels)
  let line = pass.outputWidth * pass.channels
  var source = unsafe products
  for row in rows {
    for column in 0..<pass.squareColumns {
      let corner = unsafe output + 2 * row * line + 2 * column * pass.channels
      let (hasRight, hasBelow) = (2 * column + 1 < pass.outputWidth, 2 * row + 1 < pass.outputHeight)
      for channel in stride(from: 0, to: pass.channels, by: laneCount) {
        let (m, y) = unsafe (source + channel, corner + channel)
        let rows = unsafe (
          Registers<4>(m, stride: plane), Registers<4>(m + 4 * plane, stride: plane),
          Registers<4>(m + 8 * plane, stride: plane), Registers<4>(m + 12 * plane, stride: plane)
        )
        var (above, below) = (Registers<4>(), Registers<4>())
        for index in 0..<4 {
          above[index] = rows.0[index] + rows.1[index] + rows.2[index]
          below[index] = rows.1[index] - rows.2[index] - rows.3[index]
        }
        let b = unsafe bias.lanes(channel)
        unsafe store(above, b, rectifying, hasRight, to: y, pass.channels)
        if hasBelow { unsafe store(below, b, rectifying, hasRight, to: y + line, pass.channels) }
      }
      unsafe source += pass.channels
    }
  }
}

/// Two neighbouring positions of the output: `row` times A, and the bias.
@inline(__always)
private func store(
  _ row: Registers<4>, _ bias: Lanes, _ rectifying: Bool, _ hasRight: Bool, to y: UnsafeMutablePointer<Float>,
  _ channels: Int
) {
  var (left, right) = (row[0] + row[1] + row[2] + bias, row[1] - row[2] - row[3] + bias)
  if rectifying {
    let zero = Lanes(repeating: 0)
    left.replace(with: zero, where: left .< zero)
    right.replace(with: zero, where: right .< zero)
  }
  unsafe y.store(left, 0)
  if hasRight { unsafe y.store(right, channels) }
}

/// A ∂Y Aᵀ of the squares in `rows`, [places][squares][outputChannels].
private func transformGradients(
  _ padded: UnsafePointer<Float>, _ rows: Range<Int>, _ pass: WinogradPass, _ backward: WinogradPass,
  into gradients: UnsafeMutablePointer<Float>
) {
  let plane = pass.plane(pass.channels)
  let (pixel, line) = (pass.channels, backward.paddedWidth * pass.channels)
  let origin = unsafe padded + backward.padding * (line + pixel)
  var target = unsafe gradients
  for row in rows {
    for column in 0..<pass.squareColumns {
      let corner = unsafe origin + 2 * row * line + 2 * column * pixel
      for channel in stride(from: 0, to: pass.channels, by: laneCount) {
        let g = unsafe corner + channel
        let above = unsafe Registers<2>(g, stride: pixel)
        let below = unsafe Registers<2>(g + line, stride: pixel)
        let z = unsafe target + channel
        unsafe storeGradient(above[0], above[1], to: z, plane)
        unsafe storeGradient(above[0] + below[0], above[1] + below[1], to: z + 4 * plane, plane)
        unsafe storeGradient(above[0] - below[0], above[1] - below[1], to: z + 8 * plane, plane)
        let zero = Lanes(repeating: 0)
        unsafe storeGradient(zero - below[0], zero - below[1], to: z + 12 * plane, plane)
      }
      unsafe target += pass.channels
    }
  }
}

/// A row of A ∂Y Aᵀ from one of A ∂Y.
@inline(__always)
private func storeGradient(_ left: Lanes, _ right: Lanes, to z: UnsafeMutablePointer<Float>, _ plane: Int) {
  unsafe z.store(left, 0)
  unsafe z.store(left + right, plane)
  unsafe z.store(left - right, 2 * plane)
  unsafe z.store(Lanes(repeating: 0) - right, 3 * plane)
}

/// `totals` [inputChannels, channels] += `inputs`ᵀ · `gradients` over the squares of a block, of one place.
private func accumulateProducts(
  _ inputs: UnsafePointer<Float>, _ gradients: UnsafePointer<Float>, into totals: UnsafeMutablePointer<Float>,
  squares: Int, _ pass: WinogradPass
) {
  let vectors = pass.vectors
  for group in stride(from: 0, to: pass.channels, by: vectors * laneCount) {
    forEachTile(of: pass.inputChannels, vectors: vectors) { channel, rows in
      let target = unsafe totals + channel * pass.channels + group
      let (v, z) = unsafe (inputs + channel, gradients + group)
      switch (vectors, rows) {
      case (2, 4): unsafe accumulateProducts(RegisterTile<4>.self, v, z, into: target, squares: squares, pass)
      case (2, _): unsafe accumulateProducts(RegisterTile<6>.self, v, z, into: target, squares: squares, pass)
      case (_, 8): unsafe accumulateProducts(Registers<8>.self, v, z, into: target, squares: squares, pass)
      default: unsafe accumulateProducts(Registers<12>.self, v, z, into: target, squares: squares, pass)
      }
    }
  }
}

/// A row of the tile is one of neighbouring input channels.
@inline(__always)
private func accumulateProducts<Tile: ConvolutionTile>(
  _ tile: Tile.Type, _ inputs: UnsafePointer<Float>, _ gradients: UnsafePointer<Float>,
  into totals: UnsafeMutablePointer<Float>, squares: Int, _ pass: WinogradPass
) {
  var sums = unsafe tile.init(totals, stride: pass.channels)
  var (v, z) = unsafe (inputs, gradients)
  for _ in 0..<squares {
    unsafe sums.addOuterProduct(v, stride: 1, row: z)
    unsafe v += pass.inputChannels
    unsafe z += pass.channels
  }
  unsafe sums.store(to: totals, stride: pass.channels)
}

/// U = G g Gᵀ, grouped by one vector or two of output channels.
private func transformWeights(
  _ weights: UnsafePointer<Float>, _ shape: ConvolutionShape, into transformed: UnsafeMutablePointer<Float>
) {
  let (from, to) = (shape.inputChannels, shape.outputChannels)
  let width = tileVectors(in: to) * laneCount
  for i in 0..<from {
    for o in stride(from: 0, to: to, by: laneCount) {
      let target = unsafe transformed + (o / width * from + i) * width + o % width
      unsafe transform(weights + i * to + o, tap: from * to) { place, u in
        unsafe target.store(u, place * from * to)
      }
    }
  }
}

/// The same of the weights as the input's gradient reads them: turned by half a turn, output channels for input channels.
private func transformTurnedWeights(
  _ weights: UnsafePointer<Float>, _ shape: ConvolutionShape, into transformed: UnsafeMutablePointer<Float>
) {
  let (from, to) = (shape.inputChannels, shape.outputChannels)
  let width = tileVectors(in: from) * laneCount
  for i in 0..<from {
    for o in stride(from: 0, to: to, by: laneCount) {
      let target = unsafe transformed + (i / width * to + o) * width + i % width
      // From the last tap backwards.
      unsafe transform(weights + (8 * from + i) * to + o, tap: -from * to) { place, u in
        let column = unsafe target + place * from * to
        for lane in 0..<laneCount { unsafe column[lane * width] = u[lane] }
      }
    }
  }
}

/// Calls `body` with each place of G g Gᵀ, for a vector of weights whose taps are `tap` floats apart.
@inline(__always)
private func transform(_ weights: UnsafePointer<Float>, tap: Int, _ body: (_ place: Int, _ u: Lanes) -> Void) {
  // G g: rows of the three columns.
  var rows = (Registers<3>(), Registers<3>(), Registers<3>(), Registers<3>())
  for column in 0..<3 {
    let (top, middle, bottom) = unsafe (
      weights.lanes(column * tap), weights.lanes((3 + column) * tap), weights.lanes((6 + column) * tap)
    )
    let outer = (top + bottom) * 0.5
    rows.0[column] = top
    rows.1[column] = outer + middle * 0.5
    rows.2[column] = outer - middle * 0.5
    rows.3[column] = bottom
  }
  transform(rows.0, from: 0, body)
  transform(rows.1, from: 4, body)
  transform(rows.2, from: 8, body)
  transform(rows.3, from: 12, body)
}

@inline(__always)
private func transform(_ row: Registers<3>, from place: Int, _ body: (_ place: Int, _ u: Lanes) -> Void) {
  let outer = (row[0] + row[2]) * 0.5
  body(place, row[0])
  body(place + 1, outer + row[1] * 0.5)
  body(place + 2, outer - row[1] * 0.5)
  body(place + 3, row[2])
}

/// Gᵀ u G, into `gradient` [3, 3, inputChannels, outputChannels].
private func transformWeightsGradient(
  _ products: UnsafePointer<Float>, _ shape: ConvolutionShape, into gradient: UnsafeMutablePointer<Float>
) {
  let count = shape.inputChannels * shape.outputChannels
  for offset in stride(from: 0, to: count, by: laneCount) {
    let u = unsafe products + offset
    // Gᵀ u: three rows of four columns.
    var rows = (Registers<4>(), Registers<4>(), Registers<4>())
    for column in 0..<4 {
      let (one, two) = unsafe (u.lanes((4 + column) * count), u.lanes((8 + column) * count))
      let half = (one + two) * 0.5
      rows.0[column] = unsafe u.lanes(column * count) + half
      rows.1[column] = (one - two) * 0.5
      rows.2[column] = unsafe half + u.lanes((12 + column) * count)
    }
    unsafe storeTaps(rows.0, to: gradient + offset, count)
    unsafe storeTaps(rows.1, to: gradient + 3 * count + offset, count)
    unsafe storeTaps(rows.2, to: gradient + 6 * count + offset, count)
  }
}

/// A row of Gᵀ u, times G.
@inline(__always)
private func storeTaps(_ row: Registers<4>, to gradient: UnsafeMutablePointer<Float>, _ tap: Int) {
  let half = (row[1] + row[2]) * 0.5
  unsafe gradient.store(row[0] + half, 0)
  unsafe gradient.store((row[1] - row[2]) * 0.5, tap)
  unsafe gradient.store(half + row[3], 2 * tap)
}
