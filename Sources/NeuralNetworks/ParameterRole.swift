/// How an optimizer treats a parameter.
public enum ParameterRole: Sendable, Hashable {
  /// Stepped, and drawn towards zero by an optimizer with weight decay.
  case weight
  /// A bias or a scale: stepped, and does not decay.
  case bias
  /// Stays as it is: its gradient is worked out and ignored.
  case frozen
}
