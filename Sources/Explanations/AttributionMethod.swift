import NeuralNetworks
import Tensors

/// A way to say how much each value of an input had to do with a network's score for a class.
///
/// What it gives follows from the network's weights, the input and its own properties alone: random draws are keyed by a seed, and every sum
/// has one order. So whichever rank explains an input, the bits are the same.
public protocol AttributionMethod: Sendable {
  /// The name in files and on command lines, such as `integrated-gradients`.
  var name: String { get }

  /// Throws `ModelError` if the method cannot explain `network`. By default it can.
  func check(_ network: ExplainedNetwork) throws

  /// What each value of `input` [input shape] adds to the score of the class `target`, by its index.
  ///
  /// Throws as `check` does.
  func attribution(of input: Buffer<Float>, target: Int, in network: ExplainedNetwork) throws -> Attribution
}

extension AttributionMethod {
  public func check(_ network: ExplainedNetwork) throws {}
}
