import Tensors

/// A layer, or a network, that is computed position by position, each from the positions before it, of which it keeps what it needs: so that a
/// pixel that is drawn costs what one position costs (``PixelGenerator``).
///
/// Its results are those of ``Layer/forward(_:_:into:_:)`` up to rounding, which depends on the sizes of products.
public protocol Stepper: AnyObject {
  /// Computes the output [samples, floats of a position] of `position` from its input [samples, floats of a position].
  ///
  /// Positions come in order from 0 on, and from 0 again for other samples.
  func step(_ input: Buffer<Float>, _ parameters: ParameterBlock, at position: Int, into output: Buffer<Float>)
}
