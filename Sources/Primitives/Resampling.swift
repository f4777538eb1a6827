/// Writes to each pixel of `destination` what `source` has at the place that `map` gives: linear between the four
/// pixels around it, and zero outside. Both are `[rows, columns, channels]`, and not the same memory.
///
/// Places are rounded to multiples of 2⁻¹⁶ of a pixel, so a map onto the grid, though for a rounding, copies exactly.
public func resample(
  _ source: Buffer<Float>, _ image: ImageExtents, by map: AffineMap, into destination: Buffer<Float>
) {
  resample(source, image, into: destination) { y, x in
    let (row, column) = (Double(y), Double(x))
    return (
      map.rowByRow * row + (map.rowByColumn * column + map.rowOffset),
      map.columnByRow * row + (map.columnByColumn * column + map.columnOffset)
    )
  }
}

/// Does the same with each pixel displaced by `amount` times the vector that `rowField` and `columnField`,
/// `[rows, columns]` each, have for it.
public func resample(
  _ source: Buffer<Float>, _ image: ImageExtents, displacedBy amount: Float, _ rowField: Buffer<Float>,
  _ columnField: Buffer<Float>, into destination: Buffer<Float>
) {
  precondition(
    rowField.count == image.pixels && columnField.count == image.pixels, "fields of other extents than the image's")
  let (rows, columns) = unsafe (UnsafePointer(rowField.base), UnsafePointer(columnField.base))
  let width = image.columns
  resample(source, image, into: destination) { y, x in
    let place = y * width + x
    return unsafe (Double(y) + Double(amount * rows[place]), Double(x) + Double(amount * columns[place]))
  }
}

@inline(__always)
private func resample(
  _ source: Buffer<Float>, _ image: ImageExtents, into destination: Buffer<Float>,
  from place: (_ y: Int, _ x: Int) -> (row: Double, column: Double)
) {
  precondition(
    source.count == image.count && destination.count == image.count, "\(source.count) floats for an image of \(image)")
  let from = unsafe UnsafePointer(source.base)
  var to = unsafe destination.base
  let (rows, columns, channels) = (image.rows, image.columns, image.channels)
  for y in 0..<rows {
    for x in 0..<columns {
      let (row, column) = place(y, x)
      let (top, down) = fixedPoint(row, below: rows)
      let (left, right) = fixedPoint(column, below: columns)
      // The weights of the four neighbours: zero for one outside, whose place is then any inside.
      let hasTop = top >= 0 && top < rows
      let hasBottom = top >= -1 && top < rows - 1
      let hasLeft = left >= 0 && left < columns
      let hasRight = left >= -1 && left < columns - 1
      let first = hasTop ? top * columns : 0
      let second = hasBottom ? (top + 1) * columns : 0
      let (upper, lower) = (hasTop ? 1 - down : 0, hasBottom ? down : 0)
      let (near, far) = (hasLeft ? 1 - right : 0, hasRight ? right : 0)
      let a = (first + (hasLeft ? left : 0)) * channels
      let b = (first + (hasRight ? left + 1 : 0)) * channels
      let c = (second + (hasLeft ? left : 0)) * channels
      let d = (second + (hasRight ? left + 1 : 0)) * channels
      for channel in 0..<channels {
        unsafe to[channel] =
          upper * (near * from[a + channel] + far * from[b + channel])
          + lower * (near * from[c + channel] + far * from[d + channel])
      }
      unsafe to += channels
    }
  }
}

/// The whole and the fraction of `place`, in multiples of 2⁻¹⁶. One far outside is brought near, where all is zero too.
@inline(__always)
private func fixedPoint(_ place: Double, below extent: Int) -> (whole: Int, fraction: Float) {
  let near = min(max(place, -2), Double(extent + 1))
  let fixed = Int((near * 65536).rounded(.toNearestOrEven))
  return (fixed >> 16, Float(fixed & 0xFFFF) * 0x1p-16)
}

/// Moves an image by whole pixels: the pixel at (y, x) becomes the one at (y + down, x + right). What comes in is zero.
/// Both are `[rows, columns, channels]`, and not the same memory.
public func translate(
  _ source: Buffer<Float>, _ image: ImageExtents, down: Int, right: Int, into destination: Buffer<Float>
) {
  precondition(
    source.count == image.count && destination.count == image.count, "\(source.count) floats for an image of \(image)")
  destination.fill(0)
  guard abs(down) < image.rows && abs(right) < image.columns else { return }
  let rows = max(0, down)..<min(image.rows, image.rows + down)
  let columns = max(0, right)..<min(image.columns, image.columns + right)
  for y in rows {
    let (to, from) = (y * image.columns, (y - down) * image.columns - right)
    destination[(to + columns.lowerBound) * image.channels..<(to + columns.upperBound) * image.channels]
      .copy(
        from: source[(from + columns.lowerBound) * image.channels..<(from + columns.upperBound) * image.channels])
  }
}

/// Mirrors an image: left becomes right. Both are `[rows, columns, channels]`, and not the same memory.
public func mirror(_ source: Buffer<Float>, _ image: ImageExtents, into destination: Buffer<Float>) {
  precondition(
    source.count == image.count && destination.count == image.count, "\(source.count) floats for an image of \(image)")
  let from = unsafe UnsafePointer(source.base)
  let to = unsafe destination.base
  for y in 0..<image.rows {
    for x in 0..<image.columns {
      let (there, here) = (y * image.columns + x, y * image.columns + image.columns - 1 - x)
      for channel in 0..<image.channels {
        unsafe to[there * image.channels + channel] = from[here * image.channels + channel]
      }
    }
  }
}

/// Smooths `field`, `[rows, columns]`, by `weights` along the columns and then along the rows, with zeros outside.
/// `weights` has an odd count, and its middle one is a place's own. `temporary` is as large as the field.
///
/// An element is added up in the order of the weights, with a rounding a product and a sum.
public func smooth(
  _ field: Buffer<Float>, rows: Int, columns: Int, by weights: Buffer<Float>, through temporary: Buffer<Float>
) {
  precondition(
    field.count == rows * columns && temporary.count == field.count && weights.count % 2 == 1,
    "a field of \(field.count) for \(rows) by \(columns), smoothed by \(weights.count) weights")
  let reach = weights.count / 2
  let (f, t) = unsafe (field.base, temporary.base)
  temporary.fill(0)
  for y in 0..<rows {
    for source in max(0, y - reach)..<min(rows, y + reach + 1) {
      let weight = weights[source - y + reach]
      let (to, from) = unsafe (t + y * columns, f + source * columns)
      for x in 0..<columns { unsafe to[x] += weight * from[x] }
    }
  }
  field.fill(0)
  for y in 0..<rows {
    let (to, from) = unsafe (f + y * columns, t + y * columns)
    for offset in -min(reach, columns - 1)...min(reach, columns - 1) {
      let weight = weights[offset + reach]
      for x in max(0, -offset)..<min(columns, columns - offset) { unsafe to[x] += weight * from[x + offset] }
    }
  }
}
