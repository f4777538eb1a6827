/// Lets a model's layers be written one a line, with `if`, `for` and arrays of layers between them.
@resultBuilder
public enum LayerBuilder {
  /// A line that is a layer.
  public static func buildExpression(_ layer: any LayerSpecification) -> [any LayerSpecification] { [layer] }
  /// A line that is an array of layers.
  public static func buildExpression(_ layers: [any LayerSpecification]) -> [any LayerSpecification] { layers }
  /// The lines of a block, one after another.
  public static func buildBlock(_ parts: [any LayerSpecification]...) -> [any LayerSpecification] {
    parts.flatMap { $0 }
  }
  /// The lines of an `if` without `else`: no layers where its condition does not hold.
  public static func buildOptional(_ part: [any LayerSpecification]?) -> [any LayerSpecification] { part ?? [] }
  /// The lines of an `if`, or of a case of a `switch`.
  public static func buildEither(first part: [any LayerSpecification]) -> [any LayerSpecification] { part }
  /// The lines of an `else`, or of a later case of a `switch`.
  public static func buildEither(second part: [any LayerSpecification]) -> [any LayerSpecification] { part }
  /// The lines of a `for`, once for each of its turns.
  public static func buildArray(_ parts: [[any LayerSpecification]]) -> [any LayerSpecification] {
    parts.flatMap { $0 }
  }
}
