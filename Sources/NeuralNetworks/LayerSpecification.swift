import Tensors

/// A layer as a model describes it: a value that knows shapes, and makes the ``Layer`` that computes.
///
/// Shapes are of one sample, channels last: `[28, 28, 1]`, `[5408]`.
public protocol LayerSpecification: Sendable {
  /// The stem of its parameters' names, such as `dense`; layers of one kind are numbered in order.
  var kind: String { get }

  /// The shape of one sample's output. Throws where the layer cannot take `input`.
  func outputShape(for input: Shape) throws -> Shape

  /// The floating-point operations that training on one sample takes here, a multiply-add counting as two; those of
  /// elementwise layers are left out, and so are products with what is known to be zero.
  func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int

  /// The number of learnt values, as a number that does not overflow: known before memory is taken for them.
  func learntCount(for input: Shape) -> Double

  /// Whether the layer takes passes of several microbatches, and adds up their gradients in the order of the tree (``MicrobatchSums``).
  /// By default not: it is then called microbatch by microbatch, and so are all layers of its network.
  ///
  /// A layer that learns nothing, and whose bits of a sample do not depend on the other samples of a pass, need only say so.
  func takesSeveralMicrobatches(for input: Shape) -> Bool

  /// Makes the layer with every buffer that it will ever need, for up to `capacity` samples at once.
  ///
  /// - Parameter needsInputGradient: whether `backward` will be asked for the gradient of the input.
  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer
}

extension LayerSpecification {
  public func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int { 0 }
  public func learntCount(for input: Shape) -> Double { 0 }
  public func takesSeveralMicrobatches(for input: Shape) -> Bool { false }
}
