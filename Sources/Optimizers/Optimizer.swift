import Tensors

/// What turns a summed gradient into a step of the parameters. Every rank takes the same one.
public protocol Optimizer: AnyObject {
  /// What it keeps between steps, named for the checkpoint (`m`, `v`); each buffer as long as the parameters.
  var state: [(name: String, values: Buffer<Float>)] { get }

  /// Steps `parameters` against `gradient`, the sum over `samples` samples; all buffers of the same count.
  ///
  /// - Parameter step: the number of this step, counted from 1 over the whole run.
  func update(_ parameters: Buffer<Float>, gradient: Buffer<Float>, samples: Int, step: Int)
}
