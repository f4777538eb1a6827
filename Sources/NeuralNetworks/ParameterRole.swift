/// How an optimizer treats a parameter.
public enum ParameterRole: Sendable, Hashable {
  /// Stepped, and drawn towards zero by an optimizer with weight decay.
  case weight
  /// A bias or a scale: stepped, and does not decay.
  case bias
  /// A running average, such as batch normalisation's: moved towards the batch's mean of what the layer wrote in the place
  /// of its gradient, and by no optimizer.
  case average
  /// Stays as it is: its gradient is worked out and ignored.
  case frozen
}
