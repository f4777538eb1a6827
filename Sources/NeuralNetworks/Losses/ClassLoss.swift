import Tensors

/// A loss over classes: a network's outputs say how probable each of them is.
public protocol ClassLoss: Loss {
  /// The number of classes.
  var classes: Int { get }

  /// The class, from 0, of a sample with this label.
  func classIndex(of label: Int32) -> Int

  /// The name of a class for a reader: its label, or what it stands for.
  func name(of classIndex: Int) -> String

  /// The most probable class by one sample's outputs; the first of equals.
  func predictedClass(_ outputs: Buffer<Float>) -> Int

  /// Writes the probability of every class [samples, classes] for `outputs` [samples, outputs].
  func probabilities(_ outputs: Buffer<Float>, into probabilities: Buffer<Float>)
}
