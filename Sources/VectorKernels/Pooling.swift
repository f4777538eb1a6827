import Primitives
import Vectors

/// The sizes of a max-pooling: input [height, width, channels], window `size` × `size`, every `stride` rows and columns.
public struct PoolingShape: Sendable {
  /// The input's rows.
  public let height: Int
  /// The input's columns.
  public let width: Int
  /// The channels, of the input and of the output.
  public let channels: Int
  /// The window's side.
  public let size: Int
  /// The step from a window to the next.
  public let stride: Int

  /// A max-pooling of these sizes; `stride` is by default the window's side.
  public init(height: Int, width: Int, channels: Int, size: Int, stride: Int? = nil) {
    precondition(size >= 1 && height >= size && width >= size, "a pool of \(size)×\(size) on \(height)×\(width)")
    precondition(stride ?? 1 >= 1, "a pool's stride of \(stride ?? 1)")
    self.stride = stride ?? size
    self.height = height
    self.width = width
    self.channels = channels
    self.size = size
  }

  /// The output's rows; a remainder at the edge is dropped, as by default in PyTorch and Keras.
  public var pooledHeight: Int { (height - size) / stride + 1 }
  /// The output's columns, likewise.
  public var pooledWidth: Int { (width - size) / stride + 1 }
  /// Whether an input can be in several windows.
  var isOverlapping: Bool { stride < size }
  /// The floats of one sample's input.
  public var inputCount: Int { height * width * channels }
  /// The floats of one sample's output.
  public var pooledCount: Int { pooledHeight * pooledWidth * channels }
}

/// `output[n, py, px, c]` = the largest of its window, `winners` its index within the sample's input (the first in row
/// order on a tie).
///
/// `input` [samples, height, width, channels] · `output`, `winners` [samples, pooledHeight, pooledWidth, channels].
public func maxPool(
  _ input: Buffer<Float>, into output: Buffer<Float>, winners: Buffer<Int32>, samples: Int, _ shape: PoolingShape
) {
  precondition(input.count == samples * shape.inputCount, "max-pooling of \(input.count) floats")
  precondition(output.count == samples * shape.pooledCount && winners.count == output.count, "max-pooling's output")
  let (channels, row) = (shape.channels, shape.width * shape.channels)
  let whole = channels / laneCount * laneCount
  for sample in 0..<samples {
    let x = unsafe UnsafePointer(input.base) + sample * shape.inputCount
    for py in 0..<shape.pooledHeight {
      for px in 0..<shape.pooledWidth {
        let window = (py * row + px * channels) * shape.stride
        let at = ((sample * shape.pooledHeight + py) * shape.pooledWidth + px) * channels
        let (y, w) = unsafe (output.base + at, winners.base + at)
        for c in stride(from: 0, to: whole, by: laneCount) {
          var largest = unsafe x.lanes(window + c)
          var place = LaneIntegers(repeating: 0)
          for dy in 0..<shape.size {
            for dx in 0..<shape.size {
              let offset = dy * row + dx * channels
              let value = unsafe x.lanes(window + offset + c)
              let isLarger = value .> largest
              largest.replace(with: value, where: isLarger)
              place.replace(with: LaneIntegers(repeating: Int32(truncatingIfNeeded: offset)), where: isLarger)
            }
          }
          unsafe y.store(largest, c)
          unsafe w.store(place &+ laneIndices(from: window + c), c)
        }
        for c in whole..<channels {
          var winner = window + c
          for dy in 0..<shape.size {
            for dx in 0..<shape.size {
              let other = window + dy * row + dx * channels + c
              if unsafe x[other] > x[winner] { winner = other }
            }
          }
          unsafe y[c] = x[winner]
          unsafe w[c] = Int32(truncatingIfNeeded: winner)
        }
      }
    }
  }
}

/// Sends each pooled gradient to its window's winner, where those of several windows are added in their order; every other input gets 0.
public func maxPoolGradient(
  _ gradient: Buffer<Float>, winners: Buffer<Int32>, into inputGradient: Buffer<Float>, samples: Int,
  _ shape: PoolingShape
) {
  precondition(gradient.count == samples * shape.pooledCount && winners.count == gradient.count, "max-pool's gradient")
  precondition(inputGradient.count == samples * shape.inputCount, "max-pool's input gradient")
  let (channels, row) = (shape.channels, shape.width * shape.channels)
  let whole = channels / laneCount * laneCount
  // Windows side by side cover all of the input but a remainder at its edges, and channels that make no vector.
  let areSideBySide = shape.stride == shape.size
  if whole < channels || !areSideBySide || shape.height % shape.size != 0 || shape.width % shape.size != 0 {
    inputGradient.fill(0)
  }
  for sample in 0..<samples {
    let target = unsafe inputGradient.base + sample * shape.inputCount
    for py in 0..<shape.pooledHeight {
      for px in 0..<shape.pooledWidth {
        let window = (py * row + px * channels) * shape.stride
        let at = ((sample * shape.pooledHeight + py) * shape.pooledWidth + px) * channels
        let (g, w) = unsafe (gradient.base + at, UnsafePointer(winners.base + at))
        for c in stride(from: 0, to: whole, by: laneCount) {
          let zero = Lanes(repeating: 0)
          // 0 is added to, as where it was written before.
          let value = unsafe zero + g.lanes(c)
          let winner = unsafe w.integers(c) &- laneIndices(from: window + c)
          for dy in 0..<shape.size {
            for dx in 0..<shape.size {
              let offset = dy * row + dx * channels
              let isWinner = winner .== LaneIntegers(repeating: Int32(truncatingIfNeeded: offset))
              let own = zero.replacing(with: value, where: isWinner)
              let before = unsafe shape.isOverlapping ? UnsafePointer(target).lanes(window + offset + c) : zero
              unsafe target.store(shape.isOverlapping ? before + own : own, window + offset + c)
            }
          }
        }
        for c in whole..<channels { unsafe target[Int(w[c])] += g[c] }
      }
    }
  }
}

/// As many integers as there are lanes.
private typealias LaneIntegers = Lanes.MaskStorage

/// `start`, `start` + 1, …
@inline(__always)
private func laneIndices(from start: Int) -> LaneIntegers {
  var indices = LaneIntegers(repeating: Int32(truncatingIfNeeded: start))
  for lane in 0..<laneCount { indices[lane] &+= Int32(truncatingIfNeeded: lane) }
  return indices
}

extension UnsafePointer<Int32> {
  /// The integers at `offset` from here.
  @inline(__always)
  fileprivate func integers(_ offset: Int) -> LaneIntegers {
    unsafe UnsafeRawPointer(self + offset).loadUnaligned(as: LaneIntegers.self)
  }
}

extension UnsafeMutablePointer<Int32> {
  /// Overwrites the integers at `offset` from here.
  @inline(__always)
  fileprivate func store(_ integers: LaneIntegers, _ offset: Int) {
    unsafe UnsafeMutableRawPointer(self + offset).storeBytes(of: integers, as: LaneIntegers.self)
  }
}
