/// A picture of one digit, brought into the form of MNIST's.
///
/// MNIST's digits are light on black, scaled so that their longer side fills a box of 20 of the image's 28 pixels, in greys that come from
/// the scaling, and placed with their centre of mass in the middle of the image (LeCun, Cortes & Burges, "The MNIST database of handwritten
/// digits"). So are these, whatever size and polarity the picture has.
public enum DigitPicture {
  /// The part of an image's side that a digit fills.
  private static let filledPart = 20.0 / 28

  /// The values from 0, the background, to 1, [rows, columns], of the digit in `picture`.
  ///
  /// Throws ``PictureError`` if the picture shows nothing.
  public static func values(of picture: GreyImage, rows: Int, columns: Int) throws(PictureError) -> [Float] {
    let ink = try ink(in: picture)
    let box = try box(of: ink, picture)
    // The size of the digit in the image; a pixel at least.
    let side = filledPart * Double(min(rows, columns))
    let scale = side / Double(max(box.rows.count, box.columns.count))
    let height = max(1, Int((Double(box.rows.count) * scale).rounded()))
    let width = max(1, Int((Double(box.columns.count) * scale).rounded()))
    var small = resampled(ink, picture.columns, box, height, width)
    let most = small.max() ?? 0
    if most > 0 { small = small.map { $0 / most } }
    return centred(small, height, width, rows, columns)
  }

  /// How far each pixel is from the background, which is what most of the picture's edge is like: 0 to 1, and 0 for less than a tenth.
  private static func ink(in picture: GreyImage) throws(PictureError) -> [Float] {
    let (rows, columns) = (picture.rows, picture.columns)
    var edge: [UInt8] = Array(picture.pixels.prefix(columns) + picture.pixels.suffix(columns))
    for row in 0..<rows { edge += [picture.pixels[row * columns], picture.pixels[(row + 1) * columns - 1]] }
    edge.sort()
    let ground = Float(edge[edge.count / 2])
    // What lies on the other side of the background is its own unevenness.
    let isLight = ground > 127
    var ink = picture.pixels.map { isLight ? max(ground - Float($0), 0) : max(Float($0) - ground, 0) }
    let most = ink.max() ?? 0
    guard most >= 16 else { throw PictureError("shows nothing: all its pixels are of nearly one grey") }
    for index in ink.indices {
      let part = ink[index] / most
      ink[index] = part < 0.1 ? 0 : part
    }
    return ink
  }

  /// The rows and columns that hold the digit: all ink of at least a quarter of the strongest.
  private static func box(of ink: [Float], _ picture: GreyImage) throws(PictureError) -> (
    rows: Range<Int>, columns: Range<Int>
  ) {
    var (top, bottom, left, right) = (picture.rows, -1, picture.columns, -1)
    for row in 0..<picture.rows {
      for column in 0..<picture.columns where ink[row * picture.columns + column] >= 0.25 {
        (top, bottom) = (min(top, row), row)
        (left, right) = (min(left, column), max(right, column))
      }
    }
    guard bottom >= 0 else { throw PictureError("shows nothing") }
    return (top..<bottom + 1, left..<right + 1)
  }

  /// The ink in `box` on `height` by `width` pixels, each the mean of what it covers.
  private static func resampled(
    _ ink: [Float], _ columns: Int, _ box: (rows: Range<Int>, columns: Range<Int>), _ height: Int, _ width: Int
  ) -> [Float] {
    let across = shares(of: box.columns, in: width)
    let down = shares(of: box.rows, in: height)
    var result = [Float](repeating: 0, count: height * width)
    for (y, rowShares) in down.enumerated() {
      for (row, rowShare) in rowShares {
        for (x, columnShares) in across.enumerated() {
          var sum: Float = 0
          for (column, share) in columnShares { sum += share * ink[row * columns + column] }
          result[y * width + x] += rowShare * sum
        }
      }
    }
    return result
  }

  /// The places of `range` that each of `count` equal parts of it covers, with the share of the part that each has: 1 in sum.
  private static func shares(of range: Range<Int>, in count: Int) -> [[(place: Int, share: Float)]] {
    let length = Double(range.count) / Double(count)
    return (0..<count).map { part in
      let (start, end) = (Double(part) * length, Double(part + 1) * length)
      return (Int(start)..<min(Int(end.rounded(.up)), range.count)).map { place in
        let covered = min(end, Double(place + 1)) - max(start, Double(place))
        return (range.lowerBound + place, Float(covered / length))
      }
    }
  }

  /// A digit of `height` by `width` with its centre of mass in the middle of an image of `rows` by `columns`, as near as whole pixels are.
  private static func centred(_ digit: [Float], _ height: Int, _ width: Int, _ rows: Int, _ columns: Int) -> [Float] {
    var (mass, down, across): (Float, Float, Float) = (0, 0, 0)
    for y in 0..<height {
      for x in 0..<width {
        let value = digit[y * width + x]
        mass += value
        down += value * (Float(y) + 0.5)
        across += value * (Float(x) + 0.5)
      }
    }
    let top = Int((Float(rows) / 2 - down / mass).rounded())
    let left = Int((Float(columns) / 2 - across / mass).rounded())
    var image = [Float](repeating: 0, count: rows * columns)
    for y in 0..<height where (0..<rows).contains(top + y) {
      for x in 0..<width where (0..<columns).contains(left + x) {
        image[(top + y) * columns + left + x] = digit[y * width + x]
      }
    }
    return image
  }
}
