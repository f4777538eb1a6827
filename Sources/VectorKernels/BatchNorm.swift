// Batch normalisation of samples [positions, channels], forward and backward, with or without a ReLU behind it. Rows are
// taken in blocks that fit into the first-level cache, and in a block one vector of channels after another.
//
// Legend: x input · y output · s scale · b shift · m mean · r 1 / deviation · f = s · r · g the gradient of y

import Primitives
import Vectors

/// The values that a microbatch is normalised by, one a channel, and the memory to find them.
public struct BatchNormStatistics: Sendable {
  /// The mean of each channel.
  public let means: Buffer<Float>
  /// The mean of (x − mean)² of each channel.
  public let variances: Buffer<Float>
  /// 1 / √(variance + epsilon) of each channel.
  public let inverseDeviations: Buffer<Float>
  /// The mean of each sample and channel.
  private let sampleMeans: Buffer<Float>

  /// Statistics of `channels` channels, for up to `capacity` samples.
  public init(channels: Int, capacity: Int) {
    means = Buffer(count: channels)
    variances = Buffer(count: channels)
    inverseDeviations = Buffer(count: channels)
    sampleMeans = Buffer(count: capacity * channels)
  }

  fileprivate var channels: Int { means.count }

  /// Takes other means and variances: those of many batches.
  public func take(means: Buffer<Float>, variances: Buffer<Float>, epsilon: Float) {
    self.means.copy(from: means)
    self.variances.copy(from: variances)
    invert(epsilon)
  }

  /// Measures `input` [samples, positions, channels].
  ///
  /// The differences squared are from a sample's mean, and then from the mean of all of those (Chan et al. 1979): as
  /// exact as two passes over all samples, and the second of them reads a sample where the first left it in the cache.
  public func measure(_ input: Buffer<Float>, samples: Int, epsilon: Float) {
    let channels = channels
    precondition(
      samples > 0 && input.count % (samples * channels) == 0 && samples * channels <= sampleMeans.count,
      "batch statistics of \(input.count) floats: counts do not fit")
    let positions = input.count / (samples * channels)
    variances.fill(0)
    for sample in 0..<samples { measure(input, sample, positions: positions) }
    let (all, between) = unsafe (UnsafePointer(sampleMeans.base), variances.base)
    let (count, rows) = (Float(samples), Float(samples * positions))
    forEachVector(of: channels) { c, width in
      var sum = Lanes(repeating: 0)
      for sample in 0..<samples { unsafe sum += all.lanes(sample * channels + c, first: width) }
      let mean = sum / count
      var squares = Lanes(repeating: 0)
      for sample in 0..<samples {
        let difference = unsafe all.lanes(sample * channels + c, first: width) - mean
        squares.addProduct(difference, difference)
      }
      let variance = unsafe between.lanes(c, first: width).addingProduct(squares, Lanes(repeating: Float(positions)))
      unsafe between.store(variance / rows, c, first: width)
      unsafe means.base.store(mean, c, first: width)
    }
    invert(epsilon)
  }

  /// Writes a sample's means, and adds the squares of the differences from them to the variances.
  private func measure(_ input: Buffer<Float>, _ sample: Int, positions: Int) {
    let channels = channels
    let x = unsafe UnsafePointer(input.base) + sample * positions * channels
    let own = unsafe sampleMeans.base + sample * channels
    sampleMeans[sample * channels..<(sample + 1) * channels].fill(0)
    forEachBlock(positions, channels) { rows in
      forEachVector(of: channels) { c, width in
        let sum = sumOfRows(rows) { row in unsafe x.lanes(row * channels + c, first: width) }
        unsafe own.store(own.lanes(c, first: width) + sum, c, first: width)
      }
    }
    @inline(__always)
    func divide(_ c: Int, _ width: Int) {
      unsafe own.store(own.lanes(c, first: width) / Float(positions), c, first: width)
    }
    forEachVector(of: channels, divide)
    let squares = unsafe variances.base
    forEachBlock(positions, channels) { rows in
      forEachVector(of: channels) { c, width in
        let mean = unsafe own.lanes(c, first: width)
        let sum = sumOfRows(rows) { row in
          let difference = unsafe x.lanes(row * channels + c, first: width) - mean
          return difference * difference
        }
        unsafe squares.store(squares.lanes(c, first: width) + sum, c, first: width)
      }
    }
  }

  private func invert(_ epsilon: Float) {
    for c in 0..<channels { inverseDeviations[c] = 1 / (variances[c] + epsilon).squareRoot() }
  }
}

/// `y = (x − mean) · r · scale + shift`, and with `rectifying` the larger of that and 0.
///
/// `input` and `output` are [rows, channels], `scale` and `shift` [channels].
public func batchNorm(
  _ input: Buffer<Float>, _ statistics: BatchNormStatistics, scale: Buffer<Float>, shift: Buffer<Float>,
  into output: Buffer<Float>, rectifying: Bool
) {
  let channels = statistics.channels
  precondition(
    scale.count == channels && shift.count == channels && input.count % channels == 0 && output.count == input.count,
    "batch normalisation of \(input.count) floats: counts do not fit")
  let x = unsafe UnsafePointer(input.base)
  let y = unsafe output.base
  let zero = Lanes(repeating: 0)
  forEachBlock(input.count / channels, channels) { rows in
    forEachVector(of: channels) { c, width in
      let own = ChannelConstants(statistics, scale, shift, c, width)
      if rectifying {
        for row in rows {
          let at = row * channels + c
          unsafe y.prefetchToWrite(after: at, of: input.count)
          let value = unsafe own.output(x.lanes(at, first: width))
          unsafe y.store(value.replacing(with: zero, where: value .< zero), at, first: width)
        }
      } else {
        for row in rows {
          let at = row * channels + c
          unsafe y.prefetchToWrite(after: at, of: input.count)
          unsafe y.store(own.output(x.lanes(at, first: width)), at, first: width)
        }
      }
    }
  }
}

/// The gradients of ``batchNorm(_:_:scale:shift:into:rectifying:)`` by a microbatch that the statistics were measured
/// on, N rows in all:
///
///     dscale = Σ g · n,  dshift = Σ g, over the rows
///     dx = f · (g − dshift / N − n · dscale / N),  n = (x − m) · r
///
/// With `rectifying` g counts where the output is above 0. `scaleGradient` and `shiftGradient` [channels] receive the
/// complete sums; `inputGradient` [rows, channels] may be nil.
public func batchNormGradient(
  _ outputGradient: Buffer<Float>, input: Buffer<Float>, _ statistics: BatchNormStatistics, scale: Buffer<Float>,
  shift: Buffer<Float>, rectifying: Bool, scaleGradient: Buffer<Float>, shiftGradient: Buffer<Float>,
  into inputGradient: Buffer<Float>?
) {
  let channels = statistics.channels
  precondition(
    scale.count == channels && shift.count == channels && scaleGradient.count == channels
      && shiftGradient.count == channels && input.count % channels == 0 && outputGradient.count == input.count
      && (inputGradient?.count ?? input.count) == input.count,
    "batch normalisation's gradient of \(outputGradient.count) floats: counts do not fit")
  if rectifying {
    gradient(of: statistics, outputGradient, input, scale, shift, scaleGradient, shiftGradient, inputGradient) {
      $1.openGradient($0, $2)
    }
  } else {
    gradient(of: statistics, outputGradient, input, scale, shift, scaleGradient, shiftGradient, inputGradient) {
      gradient, _, _ in gradient
    }
  }
}

/// `open` gives the part of a gradient that reaches the sum before the ReLU, from the gradient, a channel's constants
/// and x.
@inline(__always)
private func gradient(
  of statistics: BatchNormStatistics, _ outputGradient: Buffer<Float>, _ input: Buffer<Float>, _ scale: Buffer<Float>,
  _ shift: Buffer<Float>, _ scaleGradient: Buffer<Float>, _ shiftGradient: Buffer<Float>,
  _ inputGradient: Buffer<Float>?, open: (Lanes, ChannelConstants, Lanes) -> Lanes
) {
  let channels = statistics.channels
  let rows = input.count / channels
  let (x, g) = unsafe (UnsafePointer(input.base), UnsafePointer(outputGradient.base))
  let (ds, db) = unsafe (scaleGradient.base, shiftGradient.base)
  scaleGradient.fill(0)
  shiftGradient.fill(0)
  forEachBlock(rows, channels) { rows in
    forEachVector(of: channels) { c, width in
      let own = ChannelConstants(statistics, scale, shift, c, width)
      var (sum, product) = (Lanes(repeating: 0), Lanes(repeating: 0))
      var (otherSum, otherProduct) = (sum, product)
      var row = rows.lowerBound
      while row + 2 <= rows.upperBound {
        let at = row * channels + c
        let (x0, x1) = unsafe (x.lanes(at, first: width), x.lanes(at + channels, first: width))
        let g0 = unsafe open(g.lanes(at, first: width), own, x0)
        let g1 = unsafe open(g.lanes(at + channels, first: width), own, x1)
        sum += g0
        otherSum += g1
        product.addProduct(g0, x0 - own.mean)
        otherProduct.addProduct(g1, x1 - own.mean)
        row += 2
      }
      if row < rows.upperBound {
        let x0 = unsafe x.lanes(row * channels + c, first: width)
        let g0 = unsafe open(g.lanes(row * channels + c, first: width), own, x0)
        sum += g0
        product.addProduct(g0, x0 - own.mean)
      }
      unsafe db.store(db.lanes(c, first: width) + (sum + otherSum), c, first: width)
      unsafe ds.store(ds.lanes(c, first: width) + (product + otherProduct), c, first: width)
    }
  }
  product(scaleGradient, statistics.inverseDeviations, into: scaleGradient)
  guard let inputGradient else { return }
  let d = unsafe inputGradient.base
  let part = 1 / Float(rows)
  forEachBlock(rows, channels) { rows in
    forEachVector(of: channels) { c, width in
      let own = ChannelConstants(statistics, scale, shift, c, width)
      let mean = unsafe db.lanes(c, first: width) * part
      let slope = unsafe ds.lanes(c, first: width) * statistics.inverseDeviations.base.lanes(c, first: width) * part
      for row in rows {
        let at = row * channels + c
        unsafe d.prefetchToWrite(after: at, of: input.count)
        let value = unsafe x.lanes(at, first: width)
        let gradient = unsafe open(g.lanes(at, first: width), own, value)
        unsafe d.store((gradient - mean - (value - own.mean) * slope) * own.factor, at, first: width)
      }
    }
  }
}

/// What one vector of channels is normalised with.
private struct ChannelConstants {
  let mean: Lanes
  /// s · r.
  let factor: Lanes
  let shift: Lanes

  @inline(__always)
  init(
    _ statistics: BatchNormStatistics, _ scale: Buffer<Float>, _ shift: Buffer<Float>, _ c: Int, _ width: Int
  ) {
    unsafe mean = statistics.means.base.lanes(c, first: width)
    unsafe factor = scale.base.lanes(c, first: width) * statistics.inverseDeviations.base.lanes(c, first: width)
    unsafe self.shift = shift.base.lanes(c, first: width)
  }

  /// The output before a ReLU.
  @inline(__always)
  func output(_ x: Lanes) -> Lanes { shift.addingProduct(x - mean, factor) }

  /// The gradient where the output is above 0, and 0 elsewhere.
  @inline(__always)
  func openGradient(_ gradient: Lanes, _ x: Lanes) -> Lanes {
    let zero = Lanes(repeating: 0)
    return zero.replacing(with: gradient, where: output(x) .> zero)
  }
}

/// Calls `body` with blocks of `rows` rows of `channels` floats: 8 KB, so that two of them stay in the first-level cache
/// while their channels are taken one vector after another.
@inline(__always)
private func forEachBlock(_ rows: Int, _ channels: Int, _ body: (Range<Int>) -> Void) {
  let size = max(1, 2048 / channels)
  for start in stride(from: 0, to: rows, by: size) { body(start..<min(start + size, rows)) }
}

/// The sum of the vectors that `term` gives for `rows`, in four chains, because an addition takes some cycles.
@inline(__always)
private func sumOfRows(_ rows: Range<Int>, _ term: (Int) -> Lanes) -> Lanes {
  var (a, b) = (Lanes(repeating: 0), Lanes(repeating: 0))
  var (c, d) = (a, b)
  var row = rows.lowerBound
  while row + 4 <= rows.upperBound {
    a += term(row)
    b += term(row + 1)
    c += term(row + 2)
    d += term(row + 3)
    row += 4
  }
  while row < rows.upperBound {
    a += term(row)
    row += 1
  }
  return (a + b) + (c + d)
}
