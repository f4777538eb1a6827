import Tensors

/// A layer that computes: forward and backward side by side, no tape.
///
/// A layer keeps values of `forward` that `backward` needs (which input won a pool, a gate's value) in buffers of its
/// own, made once. `forward` and `backward` allocate nothing. Parameters come with each call, so one layer runs with
/// any copy of the weights.
///
/// Every layer passes the gradient oracle and holds a golden value from PyTorch.
public protocol Layer: AnyObject {
  /// The parameters that the layer learns, and its averages, in the order of its block.
  var parameters: [ParameterSpecification] { get }

  /// The number of places that it takes in ``Pass``: by default 1, its own; for a container 1 and those of all layers
  /// inside.
  var placeCount: Int { get }

  /// Whether its input, its weights and its output's gradient are factors of products, and so rounded before it gets them in a pass of
  /// ``Pass/precision`` bf16. What it multiplies within, it rounds itself. False by default, and for containers, whose layers say so.
  var roundsFactors: Bool { get }

  /// Computes `output` [samples, output shape] from `input` [samples, input shape].
  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass)

  /// The layer as it is computed position by position for `samples` samples of `positions` positions; nil, the default, if it cannot be: if
  /// a position's output needs a later one, or the layer knows of no positions.
  func makeStepper(samples: Int, positions: Int) -> (any Stepper)?

  /// Computes the gradients from that of the output. Follows a `forward` of the same pass. In an evaluation (``Pass/isTraining``) they are
  /// those of what that forward computed, for explanations.
  func backward(_ windows: BackwardWindows, _ pass: Pass)
}

extension Layer {
  public var placeCount: Int { 1 }

  public var roundsFactors: Bool { false }

  public func makeStepper(samples: Int, positions: Int) -> (any Stepper)? { nil }
}
