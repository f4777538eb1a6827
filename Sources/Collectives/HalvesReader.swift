import Tensors

/// A reader of the two halves of a gradient's sum, which ``GradientReduction/sum(_:showing:)`` shows it.
public protocol HalvesReader: AnyObject {
  /// Takes in a slice of both halves, which begins at float `start` of the gradient. Must not write to them.
  func read(_ left: Buffer<Float>, _ right: Buffer<Float>, from start: Int)
}
