import Pictures
import FoundationEssentials

/// A picture inside of a page.
struct Picture {
  /// The picture as a `data:` address.
  let source: String
  /// The picture in words, for those who do not see it.
  let text: String
  /// The line below it.
  let caption: String

  init(_ image: GreyImage, text: String, caption: String = "") {
    source = "data:image/png;base64,\(Data(image.png).base64EncodedString())"
    self.text = text
    self.caption = caption
  }
}
