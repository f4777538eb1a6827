import Tensors

/// What is minimised: the sum over samples of a function of a network's output and the microbatch.
public protocol Loss: Sendable {
  /// What a checkpoint calls it: two losses whose gradients differ have different names. By default its description.
  var name: String { get }
  /// The shape of one sample's output that a network must have for it; by default ``outputs`` numbers in a row.
  var outputShape: Shape { get }
  /// The number of a sample's outputs.
  var outputs: Int { get }
  /// The real numbers that it takes of each sample's target; by default none, for classes.
  var targetValues: Int { get }
  /// Whether ``LossSums/correct`` means something, so that accuracies are reported; by default where targets are classes.
  var countsCorrect: Bool { get }

  /// The sums over the microbatch, and ∂(loss sum)/∂output where `gradient` is given. Both buffers [samples, outputs].
  func evaluate(_ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?) -> LossSums
}

extension Loss {
  public var name: String { "\(self)" }
  public var outputShape: Shape { [outputs] }
  public var targetValues: Int { 0 }
  public var countsCorrect: Bool { targetValues == 0 }
}
