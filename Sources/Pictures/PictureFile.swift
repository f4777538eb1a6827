extension GreyImage {
  /// The most pixels of a picture that is read. Its memory is three bytes a pixel at most, of a progressive JPEG's some more.
  public static let mostPixels = 64_000_000

  /// The most bytes of a file that is worth reading.
  public static let mostFileBytes = 128 << 20

  /// The picture of a PNG or JPEG file, told apart by their first bytes. Colours become their luminance.
  ///
  /// Throws ``PictureError`` if `bytes` are no such file, a damaged, cut or animated one, or have more than ``mostPixels``.
  public init(file bytes: [UInt8]) throws(PictureError) {
    if bytes.starts(with: PNG.signature) {
      self = try PNG.decode(bytes)
    } else if bytes.starts(with: JPEG.signature) {
      self = try JPEG.decode(bytes)
    } else {
      throw PictureError(bytes.isEmpty ? "is empty" : "is neither a PNG nor a JPEG file")
    }
  }

  /// Throws unless a picture of this size is small enough, before memory is taken for it.
  static func requireSize(_ rows: Int, _ columns: Int) throws(PictureError) {
    guard rows > 0, columns > 0, rows <= mostPixels / columns else {
      throw PictureError(
        "is of \(columns) by \(rows) pixels, more than the \(mostPixels) that are read; give a smaller picture")
    }
  }
}
