import Lockstep

/// Training steps on this process alone, to be measured: real data, the whole step, no files.
struct OneRankStep {
  let network: Network
  let step: TrainingStep
  let batches: BatchPlan
  private let order: EpochOrder
  /// Full batches: an epoch's last may be short.
  private let steps: Int
  private(set) var taken = 0

  /// A step of `model` on `data`, which are told apart by class. Throws with 64 where the flags do not fit.
  init(model: String, _ data: any Dataset, globalBatch: Int, microbatch: Int?) throws {
    do {
      batches = try BatchPlan(samples: data.count, globalBatch: globalBatch, microbatch: microbatch)
      let classes = try Classes(of: data)
      let loss = SoftmaxCrossEntropy(classes: classes.count, firstLabel: classes.firstLabel)
      let model = try Model.named(model, input: data.inputShape, outputs: loss.outputs)
      let passes = PassPlan(model, microbatch: batches.microbatch)
      network = try Network(model, loss: loss, capacity: min(passes.samples, batches.samples), blocks: 4)
    } catch {
      throw TrainingError(.usage, "\(error)")
    }
    let parameters = Buffer<Float>(count: network.layout.count)
    network.initialise(parameters, seed: 0)
    let communicator = SoloCommunicator()
    let division = StepDivision(
      of: network.layout, optimizer: Adam(), communicator: communicator, method: .lockstep, sharesMemory: false,
      shards: false)
    do {
      step = try TrainingStep(
        NetworkGradient(network, data, batches: batches), layout: network.layout, batches: batches,
        parameters: parameters, optimizer: Adam().makeOptimizer(for: network.layout), division: division,
        communicator: communicator)
    } catch {
      throw TrainingError(.rankFailed, "\(error)")
    }
    order = EpochOrder(seed: 0, epoch: 0, count: batches.samples)
    steps = max(1, batches.samples / batches.globalBatch)
  }

  /// The floats that a reduction of its gradients adds up.
  var gradientCount: Int { network.layout.count }

  /// Takes the next step.
  mutating func take() throws {
    do {
      _ = try step.take(batches.batch(taken % steps), of: order, step: taken + 1)
      taken += 1
    } catch {
      throw TrainingError(.rankFailed, "\(error)")
    }
  }

  /// The median time of a step, of those that fit into a second, and of five at the least.
  mutating func medianSeconds() throws -> Double {
    // The first steps find cold caches.
    for _ in 0..<3 { try take() }
    var times: [Double] = []
    let start = ContinuousClock.now
    while times.count < 5 || (ContinuousClock.now - start).seconds < 1 {
      let before = ContinuousClock.now
      try take()
      times.append((.now - before).seconds)
    }
    return median(times)
  }
}
