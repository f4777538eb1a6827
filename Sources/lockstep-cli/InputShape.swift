import Lockstep

extension Shape {
  /// The most of an extent.
  static let mostExtent = 1_000_000

  /// The shape of a network's input as `--input` has it, such as `28x28x1`; nil if it is none, or of more values than any image has.
  init?(argument text: String) {
    let parts = text.split(separator: "x", omittingEmptySubsequences: false)
    let extents = parts.compactMap { Int($0) }.filter { (1...Self.mostExtent).contains($0) }
    guard extents.count == parts.count, (1...4).contains(extents.count),
      extents.reduce(1.0, { $0 * Double($1) }) <= 1e9
    else { return nil }
    self.init(extents)
  }

  /// The line about a `--input` that is no shape.
  static func argumentFault(_ text: String) -> String { "--input \(escaped(text)) is not a shape such as 28x28x1" }
}
