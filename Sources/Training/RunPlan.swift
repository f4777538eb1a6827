import Checkpoints
import Datasets
import Kernels
import NeuralNetworks
import Optimizers

/// What a run will do, worked out before its first step from its arguments and data alone: the same on every rank.
struct RunPlan {
  let batches: BatchPlan
  let schedule: Schedule
  let network: Network
  /// Everything that the bits of the run follow from, in words.
  let recipe: Recipe
  /// The recipe, and what else ranks must have been told alike in order to go through the same collectives.
  let facts: [(name: String, value: String)]

  /// Throws where the arguments do not fit one another, the data, or so many ranks.
  init(
    _ configuration: TrainingConfiguration, training: any Dataset, test: any Dataset, program: String, ranks: Int
  ) throws(TrainingError) {
    let targets = try Self.targets(training, test)
    batches = try Self.batches(configuration, samples: training.count, ranks: ranks)
    schedule = try Self.schedule(configuration, batches)
    network = try Self.network(configuration, batches, targets, training, test)
    recipe = Self.recipe(configuration, batches, schedule, targets, training, test, program: program)
    facts =
      recipe.entries.map { ($0.key, $0.value) } + [
        ("shared_memory", "\(configuration.sharesMemory)"),
        ("optimizer_sharding", "\(configuration.shardsOptimizer)"),
        ("max_steps", configuration.maxSteps.map(String.init) ?? "none"),
        ("run_dir", configuration.runDirectory ?? "none"), ("resume", "\(configuration.resume)"),
        ("checkpoint_every", "\(configuration.checkpointEvery)"),
        ("on_nonfinite", configuration.onNonFinite.rawValue),
        ("nonfinite_limit", "\(configuration.nonFiniteLimit)"), ("verify_every", "\(configuration.verifyEvery)"),
      ]
  }

  private static func batches(
    _ configuration: TrainingConfiguration, samples: Int, ranks: Int
  ) throws(TrainingError) -> BatchPlan {
    do throws(BatchPlanError) {
      let plan = try BatchPlan(
        samples: samples, globalBatch: configuration.globalBatch, microbatch: configuration.microbatch)
      try plan.check(ranks: ranks)
      return plan
    } catch {
      throw TrainingError(.usage, error.description)
    }
  }

  private static func schedule(
    _ configuration: TrainingConfiguration, _ batches: BatchPlan
  ) throws(TrainingError) -> Schedule {
    let (product, isTooLarge) = batches.steps.multipliedReportingOverflow(by: configuration.epochs)
    let steps = isTooLarge ? Int.max : product
    guard configuration.warmup < steps else {
      throw TrainingError(
        .usage, "--warmup \(configuration.warmup) takes all of the run's \(steps) steps; give fewer, or more --epochs")
    }
    return Schedule(configuration.schedule, warmup: configuration.warmup, steps: steps)
  }

  private static func targets(_ training: any Dataset, _ test: any Dataset) throws(TrainingError) -> Targets {
    do throws(DatasetError) {
      try training.validate()
      try test.validate()
      return try Targets(of: training, test)
    } catch {
      throw TrainingError(.badData, error.description)
    }
  }

  private static func network(
    _ configuration: TrainingConfiguration, _ batches: BatchPlan, _ targets: Targets, _ training: any Dataset,
    _ test: any Dataset
  ) throws(TrainingError) -> Network {
    guard training.inputShape == test.inputShape else {
      throw TrainingError(
        .badData,
        "training inputs are of shape \(training.inputShape) but test inputs of \(test.inputShape); take both parts from "
          + "one data set")
    }
    do throws(ModelError) {
      let loss = try configuration.task.loss(targets)
      let model = try Model.named(configuration.model, input: training.inputShape, outputs: loss.outputs)
      // Weights, their gradient and two moments.
      return try Network(model, loss: loss, capacity: max(batches.largestMicrobatch, Evaluation.slice), blocks: 4)
    } catch {
      throw TrainingError(.usage, error.description)
    }
  }

  private static func recipe(
    _ configuration: TrainingConfiguration, _ batches: BatchPlan, _ schedule: Schedule, _ targets: Targets,
    _ training: any Dataset, _ test: any Dataset, program: String
  ) -> Recipe {
    var recipe = Recipe()
    for (key, value) in [
      ("model", configuration.model), ("task", "\(configuration.task)"), ("epochs", "\(configuration.epochs)"),
      ("global_batch", "\(configuration.globalBatch)"), ("microbatch", "\(batches.microbatch)"),
      ("optimizer", "adam"), ("learning_rate", "\(configuration.learningRate)"), ("schedule", "\(schedule)"),
      ("seed", "\(configuration.seed)"), ("reduction", configuration.reduction.rawValue),
      ("training_data", training.digest.hex),
      ("test_data", test.digest.hex), ("kernels", "\(KernelIdentity.current)"), ("program", program),
    ] { recipe[key] = value }
    // Only where it is on, so that checkpoints from before there was clipping are of the same recipe as those without.
    recipe["clip_norm"] = configuration.clipNorm.map { "\($0)" }
    // For the same reason only where they are not MNIST's.
    if case .classes(let classes) = targets { recipe.classes = classes }
    return recipe
  }
}

extension Recipe {
  /// The classes that the run tells apart, ten from 0 on where the recipe does not say; nil where it says what cannot be.
  var classes: Classes? {
    get {
      let lines = [(self["classes"], Classes.ten.count), (self["first_label"], Classes.ten.firstLabel)]
      let numbers = lines.compactMap { text, usual in text.map { Int($0) } ?? usual }
      return numbers.count == 2 ? Classes(checking: numbers[0], firstLabel: numbers[1]) : nil
    }
    set {
      self["classes"] = newValue.flatMap { $0.count == Classes.ten.count ? nil : "\($0.count)" }
      self["first_label"] = newValue.flatMap { $0.firstLabel == Classes.ten.firstLabel ? nil : "\($0.firstLabel)" }
    }
  }
}
