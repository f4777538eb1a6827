import Tensors

/// One array that a layer learns.
public struct ParameterSpecification: Sendable, Hashable {
  /// Its name within the layer, such as `weights`; a network prefixes the layer's.
  public var name: String
  /// Its shape.
  public var shape: Shape
  /// Its starting values.
  public var initialiser: Initialiser
  /// How an optimizer treats it.
  public var role: ParameterRole

  /// An array of this name and shape.
  public init(name: String, shape: Shape, initialiser: Initialiser, role: ParameterRole = .weight) {
    self.name = name
    self.shape = shape
    self.initialiser = initialiser
    self.role = role
  }
}
