import Collectives
import Datasets

/// A prediction of a step's time and memory on any number of ranks, from the cost of one rank's work and of one
/// message.
///
/// A rank's work is its microbatches and the optimizer's step, which every rank takes whole if nothing is shared:
///
///     step = ⌈microbatches / ranks⌉ · microbatch + update + reduction(α, β)
///
/// The reduction is that of ``ReductionLoad``. The prediction knows neither congestion of the network nor a late rank.
public struct ScalingPrediction: Sendable {
  /// The seconds of a microbatch's gradient on one rank.
  public var microbatchSeconds: Double
  /// The seconds of the optimizer's step over all parameters.
  public var updateSeconds: Double
  /// The floats that the reduction adds up.
  public var gradientCount: Int
  /// The cost of a message between two ranks.
  public var message: MessageCost
  /// The number of processors; more ranks than that take turns. nil if each rank has its own.
  public var processors: Int?
  /// The bytes of a rank that do not depend on the number of ranks: program, data, activations.
  public var otherBytes: Int

  /// A prediction from these costs.
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

  /// The parts of a step, in seconds.
  public struct Step: Sendable, Equatable {
    /// The time for gradients and update on the rank with the most microbatches.
    public var compute: Double
    /// The time of the reduction.
    public var communication: Double
    /// The time of the whole step.
    public var seconds: Double { compute + communication }
    /// The part that is communication, 0 to 1.
    public var communicationFraction: Double { communication / seconds }

    /// A step of these parts.
    public init(compute: Double, communication: Double) {
      self.compute = compute
      self.communication = communication
    }
  }

  /// A step of `batches` on `ranks` ranks; nil if there are more ranks than microbatches.
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

  /// The part of `ranks` ranks' time that is put to use, 0 to 1: one rank's time over theirs together. nil as in
  /// ``step(_:ranks:)``.
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
