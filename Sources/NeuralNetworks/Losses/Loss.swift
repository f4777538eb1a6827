import Tensors

/// Labelled samples, as a network and its loss see them: those of one microbatch, or of a slice of an evaluation.
public struct Examples: Sendable {
  /// The inputs [samples, input shape].
  public var inputs: Buffer<Float>
  /// The label of each sample, as its data set has it; what a loss makes of it is the loss' own affair.
  public var labels: Buffer<Int32>
  /// The number of samples.
  public var samples: Int { labels.count }

  /// See the properties.
  public init(inputs: Buffer<Float>, labels: Buffer<Int32>) {
    self.inputs = inputs
    self.labels = labels
  }
}

/// Sums over samples, never means of means.
public struct LossSums: Sendable, Equatable {
  /// The losses' sum, in nats.
  public var loss: Double
  /// The samples classified rightly.
  public var correct: Int
  /// The samples.
  public var samples: Int

  /// Sums, by default of nothing.
  public init(loss: Double = 0, correct: Int = 0, samples: Int = 0) {
    self.loss = loss
    self.correct = correct
    self.samples = samples
  }
}

/// What is minimised: the sum over samples of a function of a network's output and the microbatch.
public protocol Loss: Sendable {
  /// The number of outputs that a network must have for it.
  var outputs: Int { get }

  /// The sums over the microbatch, and ∂(loss sum)/∂output where `gradient` is given. Both buffers [samples, outputs].
  func evaluate(_ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?) -> LossSums
}
