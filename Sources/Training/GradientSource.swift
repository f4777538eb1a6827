import NeuralNetworks
import Tensors

/// Where the gradient of a step's microbatches comes from. It is what tells one way of training from another: the tree that adds
/// microbatches over all ranks, the optimizer's step, the trainer, its checkpoints and its reports are the same for all.
public protocol GradientSource: AnyObject {
  /// The most microbatches of a share: a power of two.
  var passMicrobatches: Int { get }

  /// The loss sums of each microbatch of the last share, in order.
  var losses: [LossSums] { get }

  /// Works out the gradient of `share` by `parameters`, summed over its samples, which replaces what is in `gradient` or, once complete,
  /// is added to it (``GradientBlock``). That of several microbatches is the sum of each one's, added in the order of the tree over
  /// them (``MicrobatchSums``).
  ///
  /// A function of its arguments alone, to the bit: nothing of it may depend on the rank, or on what was asked for before.
  func differentiate(
    _ share: StepShare, parameters: Buffer<Float>, into gradient: Buffer<Float>, _ accumulation: Accumulation)
}
