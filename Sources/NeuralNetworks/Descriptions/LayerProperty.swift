import Tensors

/// A property of a layer, as a model's file has it.
public struct LayerProperty: Sendable {
  /// A value of the layer's own, or layers within it.
  enum Value: Sendable {
    case plain(JSONValue)
    case layers([any LayerSpecification])
  }

  let name: String
  let value: Value
  /// Whether the file can do without it.
  let isUsual: Bool

  /// A whole number; `usual` if a file may leave it out.
  public static func integer(_ name: String, _ value: Int, usual: Int? = nil) -> LayerProperty {
    LayerProperty(name: name, value: .plain(.number("\(value)")), isUsual: value == usual)
  }

  /// Several whole numbers.
  public static func integers(_ name: String, _ values: [Int]) -> LayerProperty {
    LayerProperty(name: name, value: .plain(.array(values.map { .number("\($0)") })), isUsual: false)
  }

  /// A finite number, in as few digits as give the same bits again.
  public static func number(_ name: String, _ value: Float, usual: Float? = nil) -> LayerProperty {
    LayerProperty(name: name, value: .plain(.number("\(value)")), isUsual: value == usual)
  }

  /// True or false.
  public static func flag(_ name: String, _ value: Bool, usual: Bool? = nil) -> LayerProperty {
    LayerProperty(name: name, value: .plain(.boolean(value)), isUsual: value == usual)
  }

  /// One of some names.
  public static func choice<Choice: RawRepresentable>(
    _ name: String, _ value: Choice, usual: Choice? = nil
  ) -> LayerProperty where Choice.RawValue == String {
    LayerProperty(name: name, value: .plain(.string(value.rawValue)), isUsual: value.rawValue == usual?.rawValue)
  }

  /// Layers within the layer; a file may leave out a list of none.
  public static func layers(_ name: String, _ layers: [any LayerSpecification]) -> LayerProperty {
    LayerProperty(name: name, value: .layers(layers), isUsual: layers.isEmpty)
  }
}
