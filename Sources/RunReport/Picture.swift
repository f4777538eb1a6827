import Pictures
import FoundationEssentials

/// A picture of a run, for a page or for other programs.
public struct Picture {
  /// The name among the run's pictures.
  public let name: String
  /// The height in pixels.
  public let rows: Int
  /// The width in pixels.
  public let columns: Int
  /// A PNG file's bytes.
  public let png: [UInt8]
  /// The picture in words, for those who do not see it.
  let text: String
  /// The line below it.
  let caption: String
  /// The picture as a `data:` address.
  let source: String

  init(_ image: GreyImage, name: String, text: String, caption: String = "") {
    (rows, columns, png) = (image.rows, image.columns, image.png)
    (self.name, self.text, self.caption) = (name, text, caption)
    source = "data:image/png;base64,\(Data(png).base64EncodedString())"
  }
}
