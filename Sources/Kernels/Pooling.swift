/// The sizes of a max-pooling with windows that do not overlap: input [height, width, channels], window `size` × `size`.
public struct PoolingShape: Sendable {
  /// The input's rows, columns and channels.
  public let height: Int
  public let width: Int
  public let channels: Int
  /// The window's side, which is the stride too.
  public let size: Int

  /// A max-pooling of these sizes.
  public init(height: Int, width: Int, channels: Int, size: Int) {
    precondition(size >= 1 && height >= size && width >= size, "a pool of \(size)×\(size) on \(height)×\(width)")
    self.height = height
    self.width = width
    self.channels = channels
    self.size = size
  }

  /// The output's rows and columns; a remainder at the edge is dropped, as by default in PyTorch and Keras.
  public var pooledHeight: Int { height / size }
  public var pooledWidth: Int { width / size }
  /// The floats of one sample, before and after.
  public var inputCount: Int { height * width * channels }
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
  for sample in 0..<samples {
    let x = unsafe input.base + sample * shape.inputCount
    for py in 0..<shape.pooledHeight {
      for px in 0..<shape.pooledWidth {
        for c in 0..<shape.channels {
          var winner = ((py * shape.size) * shape.width + px * shape.size) * shape.channels + c
          for dy in 0..<shape.size {
            for dx in 0..<shape.size {
              let at = ((py * shape.size + dy) * shape.width + px * shape.size + dx) * shape.channels + c
              if unsafe x[at] > x[winner] { winner = at }
            }
          }
          let at = ((sample * shape.pooledHeight + py) * shape.pooledWidth + px) * shape.channels + c
          unsafe output.base[at] = x[winner]
          unsafe winners.base[at] = Int32(truncatingIfNeeded: winner)
        }
      }
    }
  }
}

/// Sends each pooled gradient to its window's winner; every other input gets 0.
public func maxPoolGradient(
  _ gradient: Buffer<Float>, winners: Buffer<Int32>, into inputGradient: Buffer<Float>, samples: Int,
  _ shape: PoolingShape
) {
  precondition(gradient.count == samples * shape.pooledCount && winners.count == gradient.count, "max-pool's gradient")
  precondition(inputGradient.count == samples * shape.inputCount, "max-pool's input gradient")
  inputGradient.fill(0)
  for sample in 0..<samples {
    let target = unsafe inputGradient.base + sample * shape.inputCount
    for at in sample * shape.pooledCount..<(sample + 1) * shape.pooledCount {
      unsafe target[Int(winners.base[at])] += gradient.base[at]
    }
  }
}
