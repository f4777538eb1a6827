import Tensors

/// How an optimizer treats a parameter.
public enum ParameterRole: Sendable, Hashable {
  /// Stepped, and drawn towards zero by an optimizer with weight decay.
  case weight
  /// A bias or a scale: stepped, and does not decay.
  case bias
  /// Stays as it is: its gradient is worked out and ignored.
  case frozen
}

/// One array that a layer learns.
public struct ParameterSpecification: Sendable, Hashable {
  /// Its name within the layer, such as `weights`; a network prefixes the layer's.
  public var name: String
  /// Its shape.
  public var shape: Shape
  /// How it starts.
  public var initialiser: Initialiser
  /// How an optimizer treats it.
  public var role: ParameterRole

  /// See the properties.
  public init(name: String, shape: Shape, initialiser: Initialiser, role: ParameterRole = .weight) {
    self.name = name
    self.shape = shape
    self.initialiser = initialiser
    self.role = role
  }
}
