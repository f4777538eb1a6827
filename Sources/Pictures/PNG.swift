import CPNG
import Tensors

/// PNG files (W3C, Portable Network Graphics, third edition), by libpng. This file is the package's fence around it.
enum PNG {
  /// The bytes that every PNG file begins with.
  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// The image of the file `bytes`: colours as their luminance. What is transparent lies on white or, where what is seen is light, on black.
  ///
  /// Throws ``PictureError`` if the file is damaged, cut, animated, or larger than ``GreyImage/mostPixels``.
  static func decode(_ bytes: [UInt8]) throws(PictureError) -> GreyImage {
    guard !isAnimated(bytes) else { throw PictureError("is animated; give a single image") }
    // libpng goes on to read where it began.
    return try unsafe bytes.withUnsafeBufferPointer { bytes throws(PictureError) in try unsafe decode(bytes) }
  }

  private static func decode(_ bytes: UnsafeBufferPointer<UInt8>) throws(PictureError) -> GreyImage {
    var image = unsafe png_image()
    unsafe image.version = png_uint_32(PNG_IMAGE_VERSION)
    defer { unsafe png_image_free(&image) }
    guard unsafe png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else {
      throw unsafe fault(image)
    }
    let (rows, columns) = unsafe (Int(image.height), Int(image.width))
    try GreyImage.requireSize(rows, columns)
    // Grey and opacity, a byte each.
    // As every program shows it, and not as light's own amounts.
    unsafe image.flags |= png_uint_32(PNG_IMAGE_FLAG_16BIT_sRGB)
    unsafe image.format = png_uint_32(PNG_FORMAT_FLAG_ALPHA)
    var pairs = [UInt8](repeating: 0, count: 2 * rows * columns)
    // A palette cannot ask for a background: the opacity is in the format.
    guard unsafe png_image_finish_read(&image, nil, &pairs, png_int_32(2 * columns), nil) != 0 else {
      throw unsafe fault(image)
    }
    guard unsafe image.warning_or_error == 0 else { throw unsafe fault(image) }
    return GreyImage(rows: rows, columns: columns, pixels: flattened(pairs))
  }

  /// The file of an image of grey values or, with `inColour`, of three values a pixel: red, green, blue.
  static func encode(rows: Int, columns: Int, pixels: [UInt8], inColour: Bool) -> [UInt8] {
    var header = unsafe png_image()
    unsafe header.version = png_uint_32(PNG_IMAGE_VERSION)
    unsafe (header.width, header.height) = (png_uint_32(columns), png_uint_32(rows))
    // A byte each.
    unsafe header.format = inColour ? png_uint_32(PNG_FORMAT_FLAG_COLOR) : 0
    let stride = png_int_32(columns * (inColour ? 3 : 1))
    var count: png_alloc_size_t = 0
    // First how many bytes it takes, then the bytes.
    let isMeasured = unsafe png_image_write_to_memory(&header, nil, &count, 0, pixels, stride, nil)
    precondition(isMeasured != 0, "libpng: cannot pack an image")
    var bytes = [UInt8](repeating: 0, count: count)
    let isWritten = unsafe png_image_write_to_memory(&header, &bytes, &count, 0, pixels, stride, nil)
    precondition(isWritten != 0, "libpng: cannot pack an image")
    return Array(bytes.prefix(count))
  }

  /// Grey values of pairs of grey and opacity.
  private static func flattened(_ pairs: [UInt8]) -> [UInt8] {
    var (light, seen) = (0, 0)
    for index in stride(from: 0, to: pairs.count, by: 2) {
      light += Int(pairs[index]) * Int(pairs[index + 1])
      seen += Int(pairs[index + 1])
    }
    let isOpaque = seen == pairs.count / 2 * 255
    let ground = !isOpaque && seen > 0 && light / seen > 127 ? 0 : 255
    return stride(from: 0, to: pairs.count, by: 2).map { index in
      let opacity = Int(pairs[index + 1])
      return UInt8((Int(pairs[index]) * opacity + ground * (255 - opacity) + 127) / 255)
    }
  }

  /// Whether a chunk before the image's data says that there are several frames.
  private static func isAnimated(_ bytes: [UInt8]) -> Bool {
    var at = signature.count
    while at + 8 <= bytes.count {
      let length = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      switch Array(bytes[at + 4..<at + 8]) {
      case Array("acTL".utf8): return true
      case Array("IDAT".utf8): return false
      default: at += length + 12
      }
    }
    return false
  }

  private static func fault(_ image: png_image) -> PictureError {
    let text = unsafe withUnsafeBytes(of: image.message) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    return PictureError("is no whole PNG file: \(escaped(text))")
  }
}

extension GreyImage {
  /// The image as a PNG file.
  public var png: [UInt8] { PNG.encode(rows: rows, columns: columns, pixels: pixels, inColour: false) }
}

extension ColourImage {
  /// The image as a PNG file.
  public var png: [UInt8] { PNG.encode(rows: rows, columns: columns, pixels: pixels, inColour: true) }
}
