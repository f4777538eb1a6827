import Tensors

/// A sample's values as pixels: [rows, columns, channels] as they are, [rows, columns] of one channel, and anything else as one row.
struct PixelGrid: Hashable, Sendable {
  let rows: Int
  let columns: Int
  let channels: Int

  init(_ shape: Shape) {
    switch shape.rank {
    case 3: (rows, columns, channels) = (shape[0], shape[1], shape[2])
    case 2: (rows, columns, channels) = (shape[0], shape[1], 1)
    default: (rows, columns, channels) = (1, shape.count, 1)
    }
  }

  var pixels: Int { rows * columns }

  /// The shape of one number a pixel.
  var map: Shape { [rows, columns, 1] }

  /// The values of the pixel at `index`.
  func values(of index: Int) -> Range<Int> { index * channels..<(index + 1) * channels }
}
