import CTurboJPEG
import Tensors

/// JPEG files (ITU-T T.81), by libjpeg-turbo. This file is the package's fence around it.
enum JPEG {
  /// The bytes that every JPEG file begins with.
  static let signature: [UInt8] = [0xFF, 0xD8, 0xFF]

  /// The image of the file `bytes`: colours as their luminance.
  ///
  /// Throws ``PictureError`` if the file is damaged, cut, of printers' colours, or larger than ``GreyImage/mostPixels``.
  static func decode(_ bytes: [UInt8]) throws(PictureError) -> GreyImage {
    guard let reader = unsafe tjInitDecompress() else { throw PictureError("cannot be read: there is no memory left") }
    defer { unsafe tjDestroy(reader) }
    var (columns, rows, sampling, colours): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
    guard unsafe tjDecompressHeader3(reader, bytes, UInt(bytes.count), &columns, &rows, &sampling, &colours) == 0 else {
      throw unsafe fault(reader)
    }
    guard ![TJCS_CMYK.rawValue, TJCS_YCCK.rawValue].contains(UInt32(colours)) else {
      throw PictureError("has the colours of a printer (CMYK); save it as RGB or grey")
    }
    try GreyImage.requireSize(Int(rows), Int(columns))
    var pixels = [UInt8](repeating: 0, count: Int(rows) * Int(columns))
    // A file of many scans of one image would take for ever.
    let flags = TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS
    guard
      unsafe tjDecompress2(
        reader, bytes, UInt(bytes.count), &pixels, columns, 0, rows, Int32(TJPF_GRAY.rawValue), flags) == 0
    else { throw unsafe fault(reader) }
    return GreyImage(rows: Int(rows), columns: Int(columns), pixels: pixels)
  }

  private static func fault(_ reader: tjhandle) -> PictureError {
    let text = unsafe tjGetErrorStr2(reader).map { unsafe String(cString: $0) } ?? ""
    return PictureError("is no whole JPEG file: \(escaped(text))")
  }
}
