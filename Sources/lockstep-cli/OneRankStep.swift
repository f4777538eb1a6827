import Lockstep

/// Training steps of this process alone, for measurements: real data, whole steps, no files.
struct OneRankStep {
  let network: Network
  let step: TrainingStep
  let batches: BatchPlan
  private let order: EpochOrder
  /// The number of full batches in an epoch. The last, which may be short, is left out.
  private let steps: Int
  private(set) var taken = 0

  /// Steps of `model`, which classifies `data` or predicts their pixels (``PixelTask``). Throws with 64 if the flags do not fit.
  init(model: String, _ data: any Dataset, globalBatch: Int, microbatch: Int?, precision: ProductPrecision = .fp32)
    throws
  {
    let (model, loss, data) = try Self.load(model, data)
    try self.init(model, loss: loss, data, globalBatch: globalBatch, microbatch: microbatch, precision: precision)
  }

  /// The model called `name`, its loss, and the data as it takes them.
  static func load(_ name: String, _ data: any Dataset) throws -> (Model, any Loss, any Dataset) {
    let pixelTask = try Model.pixelTask(of: name)
    let data = try pixelTask?.prepare(data, .threshold) ?? data
    let loss = try (pixelTask.map { Objective($0.kind) } ?? .classify).loss(over: data, data)
    do {
      return (try Model.load(name, input: data.inputShape, outputs: loss.outputs), loss, data)
    } catch let error as TrainingError {
      throw error
    } catch {
      throw TrainingError(.usage, "\(error)")
    }
  }

  /// Steps of `model` on `data`, by this loss. Throws with 64 if the flags do not fit.
  init(
    _ model: Model, loss: any Loss, _ data: any Dataset, globalBatch: Int, microbatch: Int?,
    precision: ProductPrecision = .fp32
  ) throws {
    do {
      batches = try BatchPlan(
        samples: data.count, globalBatch: globalBatch, microbatch: microbatch, atMost: model.usualMicrobatch)
      let passes = PassPlan(model, microbatch: batches.microbatch)
      network = try Network(
        model, loss: loss, capacity: min(passes.samples, batches.samples), blocks: 4, precision: precision)
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

  /// The number of floats in the gradient.
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

  /// The median time of a step in seconds, of as many as fit in a second, but at least five.
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
