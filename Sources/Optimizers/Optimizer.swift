import Tensors

/// What turns a summed gradient into a step of the parameters. Every rank takes the same one.
public protocol Optimizer: AnyObject {
  /// The values that it keeps between steps.
  var state: OptimizerState { get }

  /// Steps the elements of `parameters` in `range` against those of `gradient`, a sum over samples. Both are flat blocks of the whole
  /// layout, and `range` lies in the state's. If the optimizer's specification is not element-wise, `range` is all of the layout.
  ///
  /// - Parameters:
  ///   - scale: what the summed gradient is multiplied by: 1 / samples, or less where it is clipped.
  ///   - step: the number of this step, counted from 1 over the whole run.
  func update(_ parameters: Buffer<Float>, gradient: Buffer<Float>, in range: Range<Int>, scale: Float, step: Int)
}

extension Optimizer {
  /// Steps all of `parameters` against the mean of `gradient`, which is the sum over `samples` samples.
  public func update(_ parameters: Buffer<Float>, gradient: Buffer<Float>, samples: Int, step: Int) {
    update(parameters, gradient: gradient, in: 0..<parameters.count, scale: 1 / Float(samples), step: step)
  }
}
