import Kernels
import Tensors

@_exported import enum Kernels.Accumulation

/// A layer that computes: forward and backward side by side, no tape.
///
/// A layer keeps what backward needs and forward knew (which input won a pool, a gate's value) in buffers of its own,
/// made once; `forward` and `backward` allocate nothing. Its parameters and their gradients are windows onto one flat
/// block each, cut by ``parameters`` through ``ParameterLayout``, so one layer runs with any copy of the weights.
///
/// Every layer passes the gradient oracle and holds a golden value from PyTorch.
public protocol Layer: AnyObject {
  /// What the layer learns, in the order in which it lies in the block.
  var parameters: [ParameterSpecification] { get }

  /// The places that it takes in ``Pass``: by default 1, its own; of a container 1 and those of all layers inside.
  var placeCount: Int { get }

  /// Computes `output` [samples, output shape] from `input` [samples, input shape].
  func forward(_ input: Buffer<Float>, _ parameters: Buffer<Float>, into output: Buffer<Float>, _ pass: Pass)

  /// Computes the gradients, given that of the output. Follows a `forward` of the same microbatch.
  ///
  /// - Parameters:
  ///   - outputGradient: ∂loss/∂output [samples, output shape].
  ///   - input: what `forward` read.
  ///   - output: what `forward` wrote.
  ///   - parameters: what `forward` used.
  ///   - inputGradient: receives ∂loss/∂input; nil where nothing before this layer learns.
  ///   - gradient: receives ∂loss/∂parameters, summed (not averaged) over the samples.
  ///   - accumulation: whether that sum replaces what `gradient` holds or, once complete, is added to it. An add rounds
  ///     once an element, which makes it equal to replacing elsewhere and adding the two: the fixed tree's bits rest on it.
  func backward(
    _ outputGradient: Buffer<Float>, input: Buffer<Float>, output: Buffer<Float>, parameters: Buffer<Float>,
    into inputGradient: Buffer<Float>?, gradient: Buffer<Float>, _ accumulation: Accumulation, _ pass: Pass)
}

extension Layer {
  public var placeCount: Int { 1 }
}
