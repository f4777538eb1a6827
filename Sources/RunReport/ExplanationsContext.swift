import Console
import FoundationEssentials
import Tensors

/// Explanations as the template `run` shows them.
struct ExplanationsContext {
  /// A picture or a map.
  struct Figure {
    let source: String
    let text: String
    let caption: String
  }

  /// A picture with its maps.
  struct Explained {
    let name: String
    let figures: [Figure]
  }

  let text: String
  let pictures: [Explained]

  init(_ explanations: RecordedExplanations) {
    text =
      "Where the class's \(singleLine(explanations.score)) comes from, by the weights of step \(explanations.step). Red speaks for the class, "
      + "blue against it, the stronger the more beside the rest of its map. Deletion and insertion are the areas below the curve of the class's "
      + "probability while pixels are taken away (set to \(explanations.baseline)) or given, the first of the map first: a good map has "
      + "little deletion and much insertion."
    pictures = explanations.pictures.map { picture in
      let (predicted, target) = (singleLine(picture.predicted), singleLine(picture.target))
      let own = picture.own.map { ", its class is \(singleLine($0))" } ?? ""
      let taken = "taken for \(predicted) (\(percent(Double(picture.probability))))"
      let first = Figure(
        source: Self.source(picture.png), text: "\(singleLine(picture.name)), \(taken)\(own)", caption: "the picture")
      let maps = picture.maps.map { map in
        Figure(
          source: Self.source(map.png), text: "\(singleLine(map.method)) of class \(target) over the picture",
          caption: [
            "\(singleLine(map.method)): deletion \(fixed(map.deletion, 3)), insertion \(fixed(map.insertion, 3))"
          ]
          .appending(map.gap.map { "gap \(percent($0)) of the range" }).joined(separator: ", "))
      }
      return Explained(
        name: "\(singleLine(picture.name)): \(taken)\(own)\(target == predicted ? "" : "; explained: \(target)")",
        figures: [first] + maps)
    }
  }

  private static func source(_ png: Data) -> String { "data:image/png;base64,\(png.base64EncodedString())" }
}

extension [String] {
  fileprivate func appending(_ text: String?) -> [String] { text.map { self + [$0] } ?? self }
}
