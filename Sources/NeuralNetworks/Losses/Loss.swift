import Tensors

/// Samples with their targets, as a network and its loss see them: those of one microbatch, or of a slice of an evaluation.
public struct Examples: Sendable {
  /// The number of samples.
  public var samples: Int
  /// The inputs [samples, input shape].
  public var inputs: Buffer<Float>
  /// The label of each sample [samples], as its data set has it; empty where the targets are real numbers.
  public var labels: Buffer<Int32>
  /// The real numbers that are each sample's target [samples, values]; empty where the targets are classes.
  public var values: Buffer<Float>

  /// Samples of classes.
  public init(inputs: Buffer<Float>, labels: Buffer<Int32>) {
    self.init(samples: labels.count, inputs: inputs, labels: labels, values: Self.noValues)
  }

  /// Samples with any targets; a buffer of those that they have not is empty.
  public init(samples: Int, inputs: Buffer<Float>, labels: Buffer<Int32>, values: Buffer<Float>) {
    self.samples = samples
    self.inputs = inputs
    self.labels = labels
    self.values = values
  }

  private static let noValues = Buffer<Float>(count: 0)
}

/// Sums over samples, never means of means.
public struct LossSums: Sendable, Equatable {
  /// The losses' sum: in nats of cross-entropies, else in the loss' own unit.
  public var loss: Double
  /// The samples classified rightly; 0 where there are no classes.
  public var correct: Int
  /// The samples.
  public var samples: Int

  /// Sums, by default of nothing.
  public init(loss: Double = 0, correct: Int = 0, samples: Int = 0) {
    self.loss = loss
    self.correct = correct
    self.samples = samples
  }

  /// The loss a sample; not a number where there are none.
  public var meanLoss: Double { loss / Double(samples) }
  /// The part that is classified rightly; not a number where there are no samples.
  public var accuracy: Double { Double(correct) / Double(samples) }
}

/// What is minimised: the sum over samples of a function of a network's output and the microbatch.
public protocol Loss: Sendable {
  /// What a checkpoint calls it: two losses whose gradients differ have different names. By default its description.
  var name: String { get }
  /// The number of outputs that a network must have for it.
  var outputs: Int { get }
  /// The real numbers that it takes of each sample's target; by default none, for classes.
  var targetValues: Int { get }

  /// The sums over the microbatch, and ∂(loss sum)/∂output where `gradient` is given. Both buffers [samples, outputs].
  func evaluate(_ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?) -> LossSums
}

extension Loss {
  public var name: String { "\(self)" }
  public var targetValues: Int { 0 }
}
