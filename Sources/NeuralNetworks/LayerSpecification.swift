import Tensors

/// A layer as a model describes it: a value that knows shapes, and makes the ``Layer`` that computes.
///
/// Shapes are of one sample, channels last: `[28, 28, 1]`, `[5408]`.
public protocol LayerSpecification: Sendable {
  /// The stem of its parameters' names, such as `dense`; layers of one kind are numbered in order.
  var kind: String { get }

  /// The shape of one sample's output. Throws ``ModelError`` if the layer cannot take `input`.
  func outputShape(for input: Shape) throws -> Shape

  /// The floating-point operations of training on one sample, a multiply-add counting as two. Those of elementwise
  /// layers, and products with known zeros, are left out.
  func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int

  /// The number of learnt values, as a `Double`, which does not overflow: needed before memory is taken for them.
  func learntCount(for input: Shape) -> Double

  /// Whether the layer takes passes of several microbatches, and adds their gradients in the order of the tree
  /// (``MicrobatchSums``). False by default: then all layers of its network are called microbatch by microbatch.
  ///
  /// A layer that learns nothing can return true if its bits for a sample do not depend on the other samples of a pass.
  func takesSeveralMicrobatches(for input: Shape) -> Bool

  /// The most samples of a microbatch where the recipe names none; 32 by default. A layer that goes through all samples before the next one
  /// does asks for few: what it leaves for the next then stays in a near cache.
  var usualMicrobatch: Int { get }

  /// The layer that takes the place of this one and of the first of those that follow it, because one kernel does them
  /// in a single pass; nil by default. Parameters, their names and order must stay, and values up to rounding.
  ///
  /// - Parameters:
  ///   - input: the shape of this layer's input.
  ///   - needsInputGradient: whether `backward` will be asked for the gradient of the input.
  func fused(
    with following: ArraySlice<any LayerSpecification>, input: Shape, needsInputGradient: Bool
  ) -> Fusion?

  /// The layer's parameters under the names and in the layouts of the module of the same kind in `framework`.
  ///
  /// By default a layer that learns nothing has none, and one that learns throws ``ModelError``: there is no such module.
  func module(in framework: Framework, input: FrameworkModule.Input) throws -> FrameworkModule

  /// Makes the layer, with all its buffers, for up to `capacity` samples at once. Throws ``ModelError`` if it cannot be
  /// made.
  ///
  /// - Parameter needsInputGradient: whether `backward` will be asked for the gradient of the input.
  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer
}

extension LayerSpecification {
  public func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int { 0 }
  public func learntCount(for input: Shape) -> Double { 0 }
  public func takesSeveralMicrobatches(for input: Shape) -> Bool { false }
  public var usualMicrobatch: Int { [any LayerSpecification].mostMicrobatch }
  public func fused(
    with following: ArraySlice<any LayerSpecification>, input: Shape, needsInputGradient: Bool
  ) -> Fusion? { nil }
}

extension [any LayerSpecification] {
  /// The most samples of a microbatch where no layer asks for fewer.
  static var mostMicrobatch: Int { 32 }

  /// The most samples of a microbatch where the recipe names none: the least that a layer asks for.
  var usualMicrobatch: Int { map(\.usualMicrobatch).min() ?? Self.mostMicrobatch }
}
