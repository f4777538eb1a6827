/// A model's description that cannot be used: the place in it, the problem and the remedy.
public struct ModelDescriptionError: Error, CustomStringConvertible, Equatable {
  /// One line, such as `layers[3].filters: is 0; give an integer from 1 to 1000000`.
  public let description: String

  /// An error at `place`, such as `layers[3].filters`; nil if it is in the whole.
  public init(_ place: String?, _ problem: String) { description = place.map { "\($0): \(problem)" } ?? problem }
}
