import Tensors

/// Turns a summed gradient into a step of the parameters: the same step on every rank.
public protocol Optimizer: AnyObject {
  /// The values that the optimizer keeps between steps.
  var state: OptimizerState { get }

  /// Called once before the first step of a run that starts anew, with its first weights, a block of the whole layout.
  func begin(with parameters: Buffer<Float>)

  /// Steps the elements of `parameters` in `range`.
  ///
  /// - Parameters:
  ///   - parameters: the flat block of the whole layout.
  ///   - gradient: the sum over samples, a block of the same layout.
  ///   - range: a part of the state's range; all of the layout if the specification is not element-wise.
  ///   - scale: the factor of the summed gradient: 1 / samples, or less if it is clipped.
  ///   - step: the number of this step, counted from 1 over the whole run.
  func update(_ parameters: Buffer<Float>, gradient: Buffer<Float>, in range: Range<Int>, scale: Float, step: Int)
}

extension Optimizer {
  public func begin(with parameters: Buffer<Float>) {}

  /// Steps all of `parameters` by the mean of `gradient`, which is the sum over `samples` samples.
  public func update(_ parameters: Buffer<Float>, gradient: Buffer<Float>, samples: Int, step: Int) {
    update(parameters, gradient: gradient, in: 0..<parameters.count, scale: 1 / Float(samples), step: step)
  }
}

/// An optimizer that can write its results to a second place on the way.
package protocol ShowingOptimizer: Optimizer {
  /// Steps the elements of `parameters` in `range`, and writes those that it steps to `shown` as well, a block of the same layout; nil for
  /// nowhere else.
  func update(
    _ parameters: Buffer<Float>, gradient: Buffer<Float>, in range: Range<Int>, scale: Float, step: Int,
    showing shown: Buffer<Float>?)
}

extension ShowingOptimizer {
  package func update(
    _ parameters: Buffer<Float>, gradient: Buffer<Float>, in range: Range<Int>, scale: Float, step: Int
  ) {
    update(parameters, gradient: gradient, in: range, scale: scale, step: step, showing: nil)
  }
}
