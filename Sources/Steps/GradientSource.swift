import NeuralNetworks
import Tensors

/// The source of a step's gradients. It makes one way of training differ from another. The tree over all ranks, the
/// optimizer's step, the trainer, its checkpoints and its reports are the same for all.
public protocol GradientSource: AnyObject {
  /// The largest number of microbatches in a share, a power of two.
  var passMicrobatches: Int { get }

  /// The loss sums of each microbatch of the last share, in order.
  var losses: [LossSums] { get }

  /// Computes the gradient of `share` at `parameters`, summed over its samples. It replaces the content of `gradient`
  /// or, once complete, is added to it (``GradientBlock``). The gradients of several microbatches are added in the
  /// order of the tree over them (``MicrobatchSums``).
  ///
  /// The result must follow from the arguments alone, to the bit: not from the rank, nor from earlier calls.
  func differentiate(
    _ share: StepShare, parameters: Buffer<Float>, into gradient: Buffer<Float>, _ accumulation: Accumulation)
}
