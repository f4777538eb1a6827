import Glibc
import Primitives
import Tensors

/// A random shift, rotation, scaling and shear, about the image's middle and in one resampling.
///
/// With the offset (x, y) from the middle, to the right and down, a pixel moves to
///
///     shift + R(rotation) · [1, tan(shear); 0, 1] · (1 + scaling) · (x, y)
///
/// where each of the four is evenly distributed around 0 up to its limit. Shifts are of whole pixels, so that an image
/// that is shifted alone stays sharp. PyTorch's `RandomAffine` is made of the same parts.
public struct AffineTransformation: Transformation, Hashable {
  /// The most pixels of a shift, each way and along both axes.
  public var shift: Int
  /// The largest angle of a rotation, in degrees.
  public var rotate: Float
  /// The largest difference of the size's factor from 1.
  public var scale: Float
  /// The largest angle of a shear of the columns, in degrees.
  public var shear: Float

  /// A transformation with these limits; 0 for a part that is left out.
  public init(shift: Int = 0, rotate: Float = 0, scale: Float = 0, shear: Float = 0) {
    (self.shift, self.rotate, self.scale, self.shear) = (shift, rotate, scale, shear)
  }

  public var description: String {
    var parts = shift == 0 ? [] : ["shift:\(shift)"]
    for (name, limit) in [("rotate", rotate), ("scale", scale), ("shear", shear)] where limit != 0 {
      parts.append("\(name):\(limit)")
    }
    return parts.joined(separator: ",")
  }

  public var fault: String? {
    if shift < 0 || shift > 32_767 { return "shift:\(shift) is not from 0 to 32767 pixels" }
    if !(rotate >= 0 && rotate <= 180) { return "rotate:\(rotate) is not from 0 to 180 degrees" }
    if !(scale >= 0 && scale < 1) { return "scale:\(scale) is not from 0 to below 1" }
    return shear >= 0 && shear <= 80 ? nil : "shear:\(shear) is not from 0 to 80 degrees"
  }

  public func fault(for image: ImageExtents) -> String? {
    shift < min(image.rows, image.columns)
      ? nil : "shift:\(shift) may move all of an image of \(image.rows) by \(image.columns) pixels away"
  }

  public func apply(
    to source: Buffer<Float>, _ image: ImageExtents, into destination: Buffer<Float>, workspace: Buffer<Float>,
    drawing words: inout Philox
  ) {
    // As many words whichever parts are left out.
    let (down, right) = (words.next(within: shift), words.next(within: shift))
    let angle = Double(words.next(within: rotate))
    let factor = 1 + Double(words.next(within: scale))
    let slant = Double(words.next(within: shear))
    if rotate == 0 && scale == 0 && shear == 0 {
      translate(source, image, down: down, right: right, into: destination)
    } else {
      let map = AffineMap(
        turningBy: angle, scalingBy: factor, shearingBy: slant, down: Double(down), right: Double(right), of: image)
      resample(source, image, by: map, into: destination)
    }
  }
}

extension AffineMap {
  /// The way back from a moved image to its source: the inverse of `AffineTransformation`'s formula, for a shift of
  /// (right, down). Angles are in degrees.
  public init(
    turningBy angle: Double, scalingBy factor: Double, shearingBy slant: Double, down: Double, right: Double,
    of image: ImageExtents
  ) {
    let (cosine, sine) = cosineAndSine(degrees: angle)
    let (upright, sideways) = cosineAndSine(degrees: slant)
    let tangent = sideways / upright
    // Row by row: [x'; y'] = 1/factor · [1, −tangent; 0, 1] · [cosine, sine; −sine, cosine] · (x, y).
    let (xByX, xByY) = ((cosine + tangent * sine) / factor, (sine - tangent * cosine) / factor)
    let (yByX, yByY) = (-sine / factor, cosine / factor)
    let (middleRow, middleColumn) = (Double(image.rows - 1) / 2, Double(image.columns - 1) / 2)
    let (row, column) = (middleRow + down, middleColumn + right)
    self.init(
      row: (yByY, yByX, middleRow - (yByY * row + yByX * column)),
      column: (xByY, xByX, middleColumn - (xByY * row + xByX * column)))
  }
}

/// The cosine and sine of an angle, exact at multiples of 90 degrees.
private func cosineAndSine(degrees: Double) -> (cosine: Double, sine: Double) {
  let quarters = (degrees / 90).rounded()
  let rest = (degrees - 90 * quarters) * .pi / 180
  let (c, s) = (cos(rest), sin(rest))
  return switch Int(quarters) & 3 {
  case 0: (c, s)
  case 1: (-s, c)
  case 2: (-c, -s)
  default: (s, -c)
  }
}
