import Kernels
import Testing

/// Images that are resampled, moved, mirrored and smoothed.
@Suite struct ResamplingTests {
  static let images = [
    ImageExtents(rows: 1, columns: 1, channels: 1), ImageExtents(rows: 5, columns: 6, channels: 1),
    ImageExtents(rows: 7, columns: 3, channels: 3), ImageExtents(rows: 28, columns: 28, channels: 1),
  ]

  private func resampled(_ source: Buffer<Float>, _ image: ImageExtents, by map: AffineMap) -> Buffer<Float> {
    let result = filled(image.count)
    resample(source, image, by: map, into: result)
    return result
  }

  private func translated(_ source: Buffer<Float>, _ image: ImageExtents, _ down: Int, _ right: Int) -> Buffer<Float> {
    let result = filled(image.count)
    translate(source, image, down: down, right: right, into: result)
    return result
  }

  @Test(arguments: images)
  func theIdentityCopies(_ image: ImageExtents) {
    let source = noise(image.count, seed: 1)
    #expect(bits(resampled(source, image, by: .identity)) == bits(source))
    #expect(bits(translated(source, image, 0, 0)) == bits(source))
    let zeros = Buffer<Float>(count: image.pixels)
    let displaced = filled(image.count)
    resample(source, image, displacedBy: 9, zeros, zeros, into: displaced)
    #expect(bits(displaced) == bits(source))
  }

  /// By whole pixels: the pixels themselves, and zeros where nothing comes from.
  @Test(arguments: images)
  func shiftsByWholePixelsAreExact(_ image: ImageExtents) {
    let source = noise(image.count, seed: 2)
    let (ones, result) = (filled(image.pixels, with: 1), filled(image.count))
    for down in -image.rows - 1...image.rows + 1 {
      for right in [-image.columns - 1, -image.columns, -2, -1, 0, 1, image.columns - 1, image.columns] {
        var expected = [Float](repeating: 0, count: image.count)
        for y in 0..<image.rows where (0..<image.rows).contains(y - down) {
          for x in 0..<image.columns where (0..<image.columns).contains(x - right) {
            for c in 0..<image.channels {
              expected[(y * image.columns + x) * image.channels + c] =
                source[((y - down) * image.columns + x - right) * image.channels + c]
            }
          }
        }
        #expect(translated(source, image, down, right).array == expected)
        let map = AffineMap(row: (1, 0, -Double(down)), column: (0, 1, -Double(right)))
        #expect(resampled(source, image, by: map).array == expected, "\(down), \(right)")
        if down == right {
          resample(source, image, displacedBy: -Float(down), ones, ones, into: result)
          #expect(result.array == expected)
        }
      }
    }
  }

  @Test func aQuarterTurnIsExact() {
    let image = ImageExtents(rows: 28, columns: 28, channels: 2)
    let source = noise(image.count, seed: 3)
    // A rounding off the grid, as sines and cosines are.
    let turned = resampled(source, image, by: AffineMap(row: (6e-17, -1, 27), column: (1 - 1e-16, 6e-17, 1e-15)))
    for y in 0..<28 {
      for x in 0..<28 {
        for c in 0..<2 { #expect(turned[(y * 28 + x) * 2 + c] == source[((27 - x) * 28 + y) * 2 + c]) }
      }
    }
  }

  @Test(arguments: 0..<20)
  func anyMapIsBilinear(_ seed: Int) {
    let image = ImageExtents(rows: 9, columns: 7, channels: 2)
    let source = noise(image.count, seed: UInt64(seed))
    let c = noise(6, seed: UInt64(100 + seed)).array.map(Double.init)
    let map = AffineMap(row: (1 + c[0], c[1], 3 * c[2]), column: (c[3], 1 + c[4], 3 * c[5]))
    func at(_ row: Int, _ column: Int, _ channel: Int) -> Double {
      guard (0..<9).contains(row), (0..<7).contains(column) else { return 0 }
      return Double(source[(row * 7 + column) * 2 + channel])
    }
    var expected: [Double] = []
    for y in 0..<9 {
      for x in 0..<7 {
        let row = map.rowByRow * Double(y) + map.rowByColumn * Double(x) + map.rowOffset
        let column = map.columnByRow * Double(y) + map.columnByColumn * Double(x) + map.columnOffset
        let (top, left) = (Int(row.rounded(.down)), Int(column.rounded(.down)))
        let (v, u) = (row - Double(top), column - Double(left))
        for channel in 0..<2 {
          let upper = (1 - u) * at(top, left, channel) + u * at(top, left + 1, channel)
          let lower = (1 - u) * at(top + 1, left, channel) + u * at(top + 1, left + 1, channel)
          expected.append((1 - v) * upper + v * lower)
        }
      }
    }
    // Places are rounded to 2⁻¹⁶ of a pixel.
    #expect(distance(resampled(source, image, by: map), expected) < 1e-4)
  }

  @Test func placesFarOutsideAreZero() {
    let image = ImageExtents(rows: 4, columns: 5, channels: 1)
    let source = filled(20, with: 1)
    for far in [1e3, -1e3, 1e30, -1e30, .infinity, -.infinity] {
      #expect(resampled(source, image, by: AffineMap(row: (1, 0, far), column: (0, 1, 0))).array.allSatisfy { $0 == 0 })
      #expect(resampled(source, image, by: AffineMap(row: (1, 0, 0), column: (0, 1, far))).array.allSatisfy { $0 == 0 })
    }
  }

  @Test(arguments: images)
  func aMirrorTurnsRows(_ image: ImageExtents) {
    let source = noise(image.count, seed: 4)
    let (once, twice) = (filled(image.count), filled(image.count))
    mirror(source, image, into: once)
    mirror(once, image, into: twice)
    #expect(bits(twice) == bits(source))
    for y in 0..<image.rows {
      for x in 0..<image.columns {
        for c in 0..<image.channels {
          #expect(
            once[(y * image.columns + x) * image.channels + c]
              == source[(y * image.columns + image.columns - 1 - x) * image.channels + c])
        }
      }
    }
  }

  @Test(arguments: [1, 3, 7, 25], [(1, 1), (5, 6), (28, 28), (3, 40)])
  func smoothingAgainstDouble(_ taps: Int, _ extents: (Int, Int)) {
    let (rows, columns) = extents
    let (field, weights) = (noise(rows * columns, seed: 5), noise(taps, seed: 6))
    func at(_ values: [Double], _ y: Int, _ x: Int) -> Double {
      (0..<rows).contains(y) && (0..<columns).contains(x) ? values[y * columns + x] : 0
    }
    func convolved(_ values: [Double], _ dy: Int, _ dx: Int) -> [Double] {
      (0..<rows * columns).map { place in
        var sum = 0.0
        for tap in 0..<taps {
          let offset = tap - taps / 2
          sum += Double(weights[tap]) * at(values, place / columns + dy * offset, place % columns + dx * offset)
        }
        return sum
      }
    }
    let expected = convolved(convolved(field.array.map(Double.init), 1, 0), 0, 1)
    smooth(field, rows: rows, columns: columns, by: weights, through: filled(rows * columns))
    #expect(distance(field, expected) < 1e-5)
  }
}
