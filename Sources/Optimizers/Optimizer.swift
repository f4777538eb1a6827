import Tensors

/// What turns a summed gradient into a step of the parameters. Every rank takes the same one.
public protocol Optimizer: AnyObject {
  /// What it keeps between steps, named for the checkpoint (`m`, `v`); each buffer as long as the parameters.
  var state: [(name: String, values: Buffer<Float>)] { get }

  /// Steps the elements of `parameters` in `range` against those of `gradient`, a sum over samples; all buffers of the same count.
  /// Elements do not depend on one another: ranks that share memory step a range each.
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
