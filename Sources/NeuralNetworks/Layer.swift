import Tensors

/// A layer that computes: forward and backward side by side, no tape.
///
/// A layer keeps what backward needs and forward knew (which input won a pool, a gate's value) in buffers of its own, made once;
/// `forward` and `backward` allocate nothing. Its parameters are handed to it with each call, so one layer runs with any copy of the
/// weights.
///
/// Every layer passes the gradient oracle and holds a golden value from PyTorch.
public protocol Layer: AnyObject {
  /// What the layer learns, in the order in which it lies in its block.
  var parameters: [ParameterSpecification] { get }

  /// The places that it takes in ``Pass``: by default 1, its own; of a container 1 and those of all layers inside.
  var placeCount: Int { get }

  /// Computes `output` [samples, output shape] from `input` [samples, input shape].
  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass)

  /// Computes the gradients, given that of the output. Follows a `forward` of the same pass.
  func backward(_ windows: BackwardWindows, _ pass: Pass)
}

extension Layer {
  public var placeCount: Int { 1 }
}
