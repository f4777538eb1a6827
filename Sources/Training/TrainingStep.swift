import Collectives
import Datasets
import NeuralNetworks
import Optimizers
import Tensors

/// One optimisation step: gradients of this rank's microbatches, their sum over all ranks in the fixed tree's order, Adam.
///
/// Everything it needs is made by its initialiser; a step allocates nothing.
public final class TrainingStep {
  /// The weights, a flat block of the network's layout: the same bits on every rank between steps.
  public let parameters: Buffer<Float>
  /// What turns the summed gradient into a step.
  public let optimizer: any Optimizer
  /// Where this rank's time has gone since ``PhaseTimes/reset()``.
  public private(set) var times = PhaseTimes()

  private let network: Network
  private let reduction: GradientReduction
  private let communicator: any Communicator
  private let feed: Feed

  /// A step of `network` on `data`, cut by `batches`. Collective.
  public init(
    network: Network, data: ImageDataset, batches: BatchPlan, parameters: Buffer<Float>, optimizer: any Optimizer,
    communicator: any Communicator, method: ReductionMethod, sharesMemory: Bool
  ) throws(CommunicationError) {
    self.network = network
    self.optimizer = optimizer
    self.parameters = parameters
    self.communicator = communicator
    reduction = try GradientReduction(
      count: network.layout.count + BatchSums.count,
      microbatchCounts: [batches.batch(0).count, batches.batch(batches.steps - 1).count],
      communicator: communicator, method: method, sharesMemory: sharesMemory)
    feed = Feed(data, capacity: batches.microbatch)
  }

  /// Takes the step numbered `step` (from 1) over the samples at the batch's positions of `order`, and returns the batch's
  /// loss and hits, which are the same on every rank.
  public func take(_ batch: Batch, of order: EpochOrder, step: Int) throws(CommunicationError) -> LossSums {
    let start = ContinuousClock.now
    let plan = reduction.plan(microbatches: batch.count)
    for share in plan.contributions {
      communicator.entered(.compute, step: step)
      let positions = batch[share.microbatch].positions
      let examples = feed.load(order.samples[positions])
      let noise = Noise(seed: order.seed, step: step, firstPosition: positions.lowerBound - batch.positions.lowerBound)
      let sum = Sum(reduction.slot(share.slot), parameters: network.layout.count)
      let losses = network.differentiate(
        examples, parameters: parameters, into: sum.gradient, share.accumulation, noise: noise)
      sum.batch.record(losses, share.accumulation)
      reduction.fold(share)
    }
    communicator.entered(.reduction, step: step)
    let computed = ContinuousClock.now
    var updating = Duration.zero
    var stepped = 0..<0
    let total = try reduction.reduce(plan, inspect: nil) { total, range, _ in
      let start = ContinuousClock.now
      let learnt = 0..<parameters.count
      stepped = range.clamped(to: learnt)
      optimizer.update(
        parameters, gradient: total[learnt], in: stepped, scale: 1 / Float(batch.positions.count), step: step)
      // Where each rank steps a slice, the others find its new weights in the place of the gradient's sum.
      if reduction.isShared { total[stepped].copy(from: parameters[stepped]) }
      updating = .now - start
    }
    if reduction.isShared {
      for range in [0..<stepped.lowerBound, stepped.upperBound..<parameters.count] {
        parameters[range].copy(from: total[range])
      }
    }
    times.add(compute: computed - start + updating, reduction: .now - computed - updating)
    return Sum(total, parameters: network.layout.count).batch.losses
  }

  /// Starts the clocks of ``times`` anew.
  public func resetTimes() { times = PhaseTimes() }
}

/// What the tree adds up: the gradient, and behind it the batch's sums, which so need no message of their own.
private struct Sum {
  let gradient: Buffer<Float>
  let batch: BatchSums

  init(_ buffer: Buffer<Float>, parameters: Int) {
    gradient = buffer[0..<parameters]
    batch = BatchSums(values: buffer[parameters..<parameters + BatchSums.count])
  }
}

/// A batch's loss, hits and samples as floats in the tree: counts up to 2²⁴ are exact, and the loss has one order of addition.
private struct BatchSums {
  /// A cache line; three are used.
  static let count = 16
  let values: Buffer<Float>

  func record(_ losses: LossSums, _ accumulation: Accumulation) {
    if accumulation == .replace { values.fill(0) }
    values[0] += Float(losses.loss)
    values[1] += Float(losses.correct)
    values[2] += Float(losses.samples)
  }

  var losses: LossSums {
    LossSums(loss: Double(values[0]), correct: Int(values[1]), samples: Int(values[2]))
  }
}
