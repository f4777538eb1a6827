/// Lets a model's layers be written one a line, with `if`, `for` and arrays of layers between them.
@resultBuilder
public enum LayerBuilder {
  public static func buildExpression(_ layer: any LayerSpecification) -> [any LayerSpecification] { [layer] }
  public static func buildExpression(_ layers: [any LayerSpecification]) -> [any LayerSpecification] { layers }
  public static func buildBlock(_ parts: [any LayerSpecification]...) -> [any LayerSpecification] {
    parts.flatMap { $0 }
  }
  public static func buildOptional(_ part: [any LayerSpecification]?) -> [any LayerSpecification] { part ?? [] }
  public static func buildEither(first part: [any LayerSpecification]) -> [any LayerSpecification] { part }
  public static func buildEither(second part: [any LayerSpecification]) -> [any LayerSpecification] { part }
  public static func buildArray(_ parts: [[any LayerSpecification]]) -> [any LayerSpecification] {
    parts.flatMap { $0 }
  }
}
