import Collectives
import Datasets

/// How long a training step takes and what it holds on any number of ranks, from what one rank's work and one message cost.
///
/// A rank's work is its microbatches and the optimizer's step, which every rank takes whole where nothing is shared:
///
///     step = ⌈microbatches / ranks⌉ · microbatch + update + reduction(α, β)
///
/// where the reduction is what ``ReductionLoad`` says. It knows neither a network's congestion nor a rank that is late.
public struct ScalingPrediction: Sendable {
  /// The seconds of a microbatch's gradient on one rank.
  public var microbatchSeconds: Double
  /// The seconds of the optimizer's step over all parameters.
  public var updateSeconds: Double
  /// The floats that the reduction adds up.
  public var gradientCount: Int
  /// What a message between two ranks costs.
  public var message: MessageCost
  /// The processors that the ranks have; more ranks than that take turns. nil where each has its own.
  public var processors: Int?
  /// The bytes of a rank that the number of ranks does not change: program, data, activations.
  public var otherBytes: Int

  /// See the properties.
  public init(
    microbatchSeconds: Double, updateSeconds: Double, gradientCount: Int, message: MessageCost, processors: Int? = nil,
    otherBytes: Int = 0
  ) {
    self.microbatchSeconds = microbatchSeconds
    self.updateSeconds = updateSeconds
    self.gradientCount = gradientCount
    self.message = message
    self.processors = processors
    self.otherBytes = otherBytes
  }

  /// A step's parts, in seconds.
  public struct Step: Sendable, Equatable {
    /// The gradients and the update of the rank that holds the most.
    public var compute: Double
    /// The reduction.
    public var communication: Double
    /// Both.
    public var seconds: Double { compute + communication }
    /// The part that is communication, 0 to 1.
    public var communicationFraction: Double { communication / seconds }

    /// See the properties.
    public init(compute: Double, communication: Double) {
      self.compute = compute
      self.communication = communication
    }
  }

  /// A step of `batches` on `ranks` ranks; nil where there are more ranks than microbatches.
  public func step(_ batches: BatchPlan, ranks: Int) -> Step? {
    let microbatches = batches.microbatchesInFullBatch
    guard ranks <= microbatches else { return nil }
    let held = (microbatches + ranks - 1) / ranks
    let turns = processors.map { max(1, Double(ranks) / Double($0)) } ?? 1
    let load = ReductionLoad(count: gradientCount, microbatches: microbatches, ranks: ranks)
    return Step(
      compute: (Double(held) * microbatchSeconds + updateSeconds) * turns,
      communication: ranks > 1 ? load.seconds(message) : 0)
  }

  /// How much of `ranks` ranks' time is put to use: one rank's time over theirs together, 0 to 1. nil as in ``step(_:ranks:)``.
  public func efficiency(_ batches: BatchPlan, ranks: Int) -> Double? {
    guard let one = step(batches, ranks: 1), let many = step(batches, ranks: ranks) else { return nil }
    return one.seconds / (Double(ranks) * many.seconds)
  }

  /// The bytes of the rank that holds the most: weights, both of Adam's moments (with `shardsOptimizer` a slice of them), the
  /// reduction's buffers, and the rest.
  public func bytes(_ batches: BatchPlan, ranks: Int, shardsOptimizer: Bool = false) -> Int {
    let load = ReductionLoad(count: gradientCount, microbatches: batches.microbatchesInFullBatch, ranks: ranks)
    let moments = 2 * gradientCount / (shardsOptimizer ? ranks : 1)
    return (gradientCount + moments + load.buffers) * MemoryLayout<Float>.stride + otherBytes
  }
}
