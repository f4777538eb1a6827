import Checkpoints
import Collectives
import Datasets
import Kernels
import NeuralNetworks
import Optimizers
import Steps
import Tensors

/// A search for the global batch and the microbatch of a recipe, by measurement on all ranks of a job at once. It takes
/// about a second. ``BatchCosts`` chooses.
///
/// Another search may find others, for it goes by the clock. The weights follow from what it found, as if that had been given.
public struct BatchSearch {
  /// The values that a recipe takes.
  public struct Result: Sendable, Equatable {
    /// The samples of a step, over all ranks.
    public var globalBatch: Int
    /// The samples of a microbatch.
    public var microbatch: Int
    /// The speed that was measured for them; nil if they are a checkpoint's.
    public var samplesPerSecond: Double?
  }

  /// The batch and microbatch for `recipe`, the same on every rank. The recipe's own batch does not count; a microbatch that
  /// it gives is kept. If `options` have the run go on from a checkpoint, they are the checkpoint's. Collective.
  ///
  /// Throws the same ``TrainingError`` on every rank if the run is impossible, or the checkpoint cannot be used.
  public static func run(
    for recipe: Recipe, training: any Dataset, test: any Dataset, execution: Execution = Execution(),
    options: RunOptions = RunOptions(), on communicator: any Communicator = SoloCommunicator()
  ) throws -> Result {
    // Private batches are of many sizes; what a sample costs does not depend on it.
    let searched = recipe.withoutPrivacy
    // One microbatch a rank stands for the batch that is looked for.
    let plan = try communicator.agree {
      try prepareArithmetic()
      var trial = searched
      let microbatch = searched.microbatch ?? 1
      guard microbatch <= mostSamples else {
        throw TrainingError(.usage, "\(Setting.microbatch) \(microbatch) is more than \(mostSamples)")
      }
      (trial.globalBatch, trial.microbatch) = (communicator.size * microbatch, microbatch)
      return try RunPlan(trial, training: training, test: test, execution, options, ranks: communicator.size)
    }
    try communicator.requireEqual(plan.facts + [("microbatch_given", "\(searched.microbatch != nil)")])
    let numbers = try communicator.agree { communicator.rank == 0 ? try saved(options) : [] }
    let shared = try communicating { try communicator.gather(words: numbers.map { UInt64($0) })[0] }
    if shared.count == 2 { return Result(globalBatch: Int(shared[0]), microbatch: Int(shared[1])) }
    do {
      return try BatchSearch(searched, plan, execution, communicator).measure()
    } catch {
      throw TrainingError(error)
    }
  }

  /// The batch and microbatch of the checkpoint that a run with these options goes on from; none if it starts anew.
  private static func saved(_ options: RunOptions) throws -> [Int] {
    func numbers(_ file: borrowing CheckpointFile) throws -> [Int] {
      try ["global_batch", "microbatch"].map { key in
        guard let number = file.recipe[key].flatMap({ Int($0) }), number >= 1 else {
          throw TrainingError(.badData, "\(file.path): its \(key) is no batch; give \(Setting.globalBatch) a number")
        }
        return number
      }
    }
    if options.resume != .never, !options.makesNewDirectory, let directory = options.directory,
      let newest = try CheckpointStore(directory: "\(directory)/checkpoints").newestWhole(strict: options.strict)
    {
      return try numbers(newest)
    }
    guard case .file(let path) = options.resume else { return [] }
    return try numbers(CheckpointFile(path))
  }

  private let recipe: Recipe
  private let plan: RunPlan
  private let execution: Execution
  private let communicator: any Communicator
  private let order: EpochOrder
  private let parameters: Buffer<Float>

  private init(_ recipe: Recipe, _ plan: RunPlan, _ execution: Execution, _ communicator: any Communicator) {
    self.recipe = recipe
    self.plan = plan
    self.execution = execution
    self.communicator = communicator
    order = EpochOrder(seed: recipe.seed, epoch: 0, count: plan.batches.samples)
    parameters = Buffer(count: plan.network.layout.count)
    plan.network.initialise(parameters, seed: recipe.seed)
  }

  /// More than any data set has, and so few that no count overflows.
  private static let mostSamples = 1 << 32

  private var ranks: Int { communicator.size }
  private var samples: Int { plan.batches.samples }
  private var layout: ParameterLayout { plan.network.layout }

  /// The batches to choose from: powers of two, of at least four samples a rank and at most a sixteenth of the data, as far
  /// as the ranks can all have a microbatch.
  private var batches: [Int] {
    let needed = power(atLeast: ranks * (recipe.microbatch ?? 1))
    let most = max(power(atMost: samples / 16), needed)
    let least = max(needed, min(most, max(8, power(atLeast: 4 * ranks))))
    return Array(sequence(first: least) { $0 < most ? 2 * $0 : nil })
  }

  /// The microbatches to choose from, in rising order. A product of fewer than four rows is slow, unless the model asks for fewer samples, and
  /// one of more than 64 no faster.
  private var microbatches: [Int] {
    if let microbatch = recipe.microbatch { return [microbatch] }
    let most = max(1, (batches.last ?? 1) / power(atLeast: ranks))
    let usual = recipe.model.usualMicrobatch
    return Set([1, 2, 4, 8, 16, 32, 64, usual]).filter { $0 <= most && $0 >= min(4, most, usual) }.sorted()
  }

  private func measure() throws -> Result {
    var costs = BatchCosts(ranks: ranks, microbatchSeconds: [:], stepSeconds: 0, batches: batches)
    // A part of what quality depends on is not chosen by its speed.
    costs.mostSamples = recipe.model.usualMicrobatch
    costs.takesUsualMicrobatches = recipe.microbatch == nil && !RunningAverages(of: layout).isEmpty
    for microbatch in microbatches {
      // If the smallest does not fit into memory, the run does not.
      guard let seconds = try secondsOfMicrobatch(microbatch, isNeeded: costs.microbatchSeconds.isEmpty) else { break }
      costs.microbatchSeconds[microbatch] = seconds
    }
    let smallest = microbatches[0]
    costs.stepSeconds = max(0, try secondsOfStep(smallest) - (costs.microbatchSeconds[smallest] ?? 0))
    let neighbours = communicator.hosts.neighbours(of: communicator.rank).count
    let memory = try gathered(Double(availableMemory) / Double(neighbours)).min() ?? 0
    costs.batches = costs.batches.filter { bytes(batch: $0, microbatch: smallest) <= memory }
    guard let choice = costs.choice else {
      throw TrainingError.agreed(
        .usage,
        "no batch gives each of \(ranks) ranks a microbatch, and fits the data and the memory; give \(Setting.globalBatch) a number"
      )
    }
    return Result(
      globalBatch: choice.globalBatch, microbatch: choice.microbatch, samplesPerSecond: choice.samplesPerSecond)
  }

  /// The seconds of a microbatch on the slowest rank, while all work; nil if it does not fit into a rank's memory. Collective.
  private func secondsOfMicrobatch(_ microbatch: Int, isNeeded: Bool) throws -> Double? {
    let passes = PassPlan(recipe.model, microbatch: microbatch)
    let batches = try BatchPlan(samples: samples, globalBatch: passes.samples, microbatch: microbatch)
    let made = Swift.Result { try makeSource(batches) }
    if isNeeded {
      _ = try communicator.agree { try made.get() }
    } else if try gathered((try? made.get()) == nil ? 0 : 1).contains(0) {
      return nil
    }
    let gradients = try made.get()
    let gradient = Buffer<Float>(count: layout.count)
    let seconds = medianSeconds(atLeast: Self.fewestRepeats, for: Self.seconds) { index in
      let batch = batches.batch(index % fullBatches(of: batches))
      let share = StepShare(0..<batch.count, of: batch, order, step: 1)
      gradients.differentiate(share, parameters: parameters, into: gradient, .replace)
    }
    return try gathered(seconds / Double(passes.microbatches)).max()
  }

  /// The seconds of a whole step with one microbatch a rank, on the slowest rank. Collective.
  private func secondsOfStep(_ microbatch: Int) throws -> Double {
    let batches = try BatchPlan(samples: samples, globalBatch: ranks * microbatch, microbatch: microbatch)
    var optimizer = recipe.runOptimizer
    // Steps that move nothing: the rate may be too high for this batch.
    optimizer.learningRate = .leastNormalMagnitude
    let division = StepDivision(
      of: layout, optimizer: optimizer, communicator: communicator, method: recipe.reduction,
      sharesMemory: execution.sharesMemory, shards: execution.shardsOptimizer)
    let memory = try RunMemory(
      count: layout.count, names: optimizer.stateNames, division: division, communicator: communicator)
    memory.parameters.copy(from: parameters)
    let step = try TrainingStep(
      communicator.agree { try makeSource(batches) }, layout: layout, batches: batches, parameters: memory.parameters,
      optimizer: optimizer.makeOptimizer(state: memory.state, layout: layout, schedule: .constant), division: division,
      communicator: communicator)
    step.clipNorm = recipe.clipNorm
    var taken = 0
    func take() throws {
      _ = try step.take(batches.batch(taken % fullBatches(of: batches)), of: order, step: taken + 1)
      taken += 1
    }
    let first = try medianSeconds(atLeast: Self.fewestRepeats, for: 0) { _ in try take() }
    // As many on every rank, because ranks wait for one another.
    let slowest = try gathered(first).max() ?? first
    let count = Int(min(200, max(Double(Self.fewestRepeats), Self.seconds / slowest)))
    return try gathered(try medianSeconds(atLeast: count, for: 0) { _ in try take() }).max() ?? slowest
  }

  /// The seconds that a measurement takes, and the fewest repetitions in it.
  private static let (seconds, fewestRepeats) = (0.05, 3)

  /// The median time of `body`, in seconds, over at least `count` repetitions and `seconds`, behind one that finds cold caches.
  private func medianSeconds(
    atLeast count: Int, for seconds: Double, _ body: (Int) throws -> Void
  ) rethrows -> Double {
    try body(0)
    var times: [Double] = []
    let start = ContinuousClock.now
    repeat {
      let before = ContinuousClock.now
      try body(times.count + 1)
      times.append((.now - before).seconds)
    } while times.count < count || (ContinuousClock.now - start).seconds < seconds
    return times.sorted()[times.count / 2]
  }

  /// The gradients of the recipe, over batches cut by `batches`. Throws ``ModelError`` if there is too little memory.
  private func makeSource(_ batches: BatchPlan) throws -> any GradientSource {
    let passes = PassPlan(recipe.model, microbatch: batches.microbatch)
    let network = try Network(
      recipe.model, loss: recipe.loss, capacity: min(passes.samples, samples),
      blocks: 2 + recipe.runOptimizer.stateNames.count, precision: recipe.precision, frozen: recipe.frozen)
    return recipe.gradientSource(network, plan.training, batches)
  }

  /// The batches of an epoch that are full; one that is not if there are none.
  private func fullBatches(of batches: BatchPlan) -> Int { max(1, samples / batches.globalBatch) }

  /// The bytes of a rank that a batch takes beside the weights and the optimizer's state: the slots of its reduction, twice if
  /// they are shown as copies.
  private func bytes(batch: Int, microbatch: Int) -> Double {
    let load = ReductionLoad(
      count: layout.count + BatchSums.count, microbatches: max(ranks, batch / microbatch), ranks: ranks)
    return 2 * Double(load.buffers * MemoryLayout<Float>.stride)
  }

  /// Every rank's `value`, in rank order. Collective.
  private func gathered(_ value: Double) throws -> [Double] {
    try communicator.gather(words: [value.bitPattern]).map { Double(bitPattern: $0[0]) }
  }
}

/// The least power of two from `number` on, which is at least 1.
private func power(atLeast number: Int) -> Int {
  var power = 1
  while power < number { power *= 2 }
  return power
}

/// The largest power of two up to `number`; 1 if there is none.
private func power(atMost number: Int) -> Int {
  var power = 1
  while power <= number / 2 { power *= 2 }
  return power
}
