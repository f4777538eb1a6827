import Checkpoints
import Datasets
import Digests
import Kernels
import NeuralNetworks
import Optimizers
import Tensors

/// The plan of a run, made before its first step from its recipe and data alone: the same on every rank.
package struct RunPlan {
  /// The samples that are trained on, changed at random if the recipe says so.
  package let training: any Dataset
  /// The samples that epochs are evaluated on; nil if they are the test data.
  let validation: (any Dataset)?
  package let batches: BatchPlan
  /// The private part; nil of other runs.
  let privacy: PrivacyPlan?
  let schedule: Schedule
  package let network: Network
  /// All that decides the bits of the run, in words.
  package let fingerprint: Fingerprint
  /// The fingerprint, and the other values that must be the same on all ranks, so that they run the same collectives.
  package let facts: [(name: String, value: String)]

  /// The plan for `ranks` ranks. Throws if the values are out of their ranges, or do not fit one another, the data or
  /// the ranks.
  package init(
    _ recipe: Recipe, training: any Dataset, test: any Dataset, _ execution: Execution, _ options: RunOptions,
    ranks: Int
  ) throws {
    if let fault = recipe.fault ?? execution.fault(reduction: recipe.reduction)
      ?? options.fault(validation: recipe.validation)
    {
      throw TrainingError(.usage, fault)
    }
    let targets = try Targets(validating: training, test)
    (self.training, validation) = try Self.parts(of: training, recipe)
    try Self.check(recipe.loss, against: targets)
    if let mixup = recipe.augmentation?.mixup, targets.labelRange == nil {
      throw TrainingError(
        .usage,
        "\(Setting.augmentation) \(mixup) mixes classes, but the data's targets are \(targets); leave it out")
    }
    if recipe.privacy != nil, let fault = options.faultOfPrivacy { throw TrainingError(.usage, fault) }
    let samples = self.training.count
    privacy = try recipe.privacy.map { try PrivacyPlan($0, recipe, samples: samples) }
    batches = try privacy?.batches ?? recipe.batches(samples: samples)
    try batches.check(ranks: ranks)
    schedule = try options.search?.schedule ?? Self.schedule(recipe, batches)
    network = try Self.network(recipe, batches, training, test)
    guard recipe.sampleClipNorm == nil || RunningAverages(of: network.layout).isEmpty else {
      throw TrainingError(
        .usage,
        "\(Setting.sampleClipNorm) takes each sample by itself, but the batch normalisation of \(Setting.model) \(escaped(recipe.model.name)) takes a "
          + "microbatch together; leave \(Setting.sampleClipNorm) out, or give \(Setting.clipNorm)")
    }
    fingerprint = Self.fingerprint(
      recipe, batches, schedule, data: (training, test, targets), program: options.program, privacy: privacy)
    let settings: [(String, String)] = [
      ("shared_memory", "\(execution.sharesMemory)"),
      ("optimizer_sharding", "\(execution.shardsOptimizer)"),
      ("early_stopping", options.earlyStopping.map(String.init) ?? "none"),
      ("save_best", "\(options.savesBest)"),
      ("lr_find", options.search.map { "\($0)" } ?? "none"),
      ("init_from_file", recipe.initialWeights ?? "none"),
      ("trace", options.trace.map { "\($0)" } ?? "none"),
      ("max_steps", options.maxSteps.map(String.init) ?? "none"),
      ("run_dir", options.directory ?? "none"), ("resume", "\(options.resume)"),
      ("checkpoint_every", "\(options.checkpointEvery)"),
      ("on_nonfinite", execution.onNonFinite.rawValue),
      ("nonfinite_limit", "\(execution.nonFiniteLimit)"), ("verify_every", "\(execution.verifyEvery)"),
    ]
    facts = fingerprint.entries.map { ($0.key, Self.fact($0.value)) } + settings
  }

  /// The parts of the training data that the recipe makes. Throws with 64 if they do not fit them.
  private static func parts(of training: any Dataset, _ recipe: Recipe) throws -> (any Dataset, (any Dataset)?) {
    do {
      let parts = try TrainingParts(
        of: training, subset: recipe.subset, validation: recipe.validation, seed: recipe.seed)
      guard let changes = recipe.augmentation?.transformations, !changes.isEmpty else {
        return (parts.training, parts.validation)
      }
      return (try parts.training.augmented(by: Augmentation(changes)), parts.validation)
    } catch {
      throw TrainingError(.usage, "\(error)")
    }
  }

  /// A line of the fingerprint for the ranks' comparison: by its digest if it is long, because every rank gets those of
  /// all.
  private static func fact(_ value: String) -> String {
    value.utf8.count <= 1000 ? value : "of SHA-256 \(SHA256Digest(of: Array(value.utf8)))"
  }

  private static func schedule(_ recipe: Recipe, _ batches: BatchPlan) throws -> Schedule {
    let steps = recipe.steps(perEpoch: batches.steps)
    guard recipe.warmup < steps else {
      throw TrainingError(
        .usage,
        "\(Setting.warmup) \(recipe.warmup) takes all of the run's \(steps) steps; give fewer, or more \(Setting.epochs)"
      )
    }
    return Schedule(recipe.schedule, warmup: recipe.warmup, steps: steps)
  }

  /// Throws with 64 if the loss is over other targets than the data's.
  private static func check(_ loss: any Loss, against targets: Targets) throws {
    let count = targets.valueCount ?? 0
    guard loss.targetValues == count else {
      let wanted = loss.targetValues == 0 ? "classes" : "\(Targets.values(count: loss.targetValues))"
      throw TrainingError(.usage, "the loss \(loss.name) is over \(wanted), but the data's targets are \(targets)")
    }
    guard let loss = loss as? any ClassLoss, let labels = targets.labelRange else { return }
    let isWithin = [labels.lowerBound, labels.upperBound].allSatisfy {
      (0..<loss.classes).contains(loss.classIndex(of: Int32($0)))
    }
    guard isWithin else {
      throw TrainingError(
        .usage,
        "the loss \(loss.name) is over \(loss.classes) classes, but the data's labels are \(labels.lowerBound) to "
          + "\(labels.upperBound)")
    }
  }

  private static func network(
    _ recipe: Recipe, _ batches: BatchPlan, _ training: any Dataset, _ test: any Dataset
  ) throws -> Network {
    for (part, data) in [("training", training), ("test", test)] {
      guard data.inputShape == recipe.model.input else {
        throw TrainingError(
          .badData,
          "\(part) inputs are of shape \(data.inputShape), but the model takes \(recipe.model.input); take both parts from "
            + "one data set")
      }
    }
    // Blocks for weights, their gradient and the optimizer's state.
    let passes = PassPlan(recipe.model, microbatch: batches.microbatch)
    return try Network(
      recipe.model, loss: recipe.loss, capacity: max(min(passes.samples, batches.samples), Evaluation.slice),
      blocks: 2 + recipe.runOptimizer.stateNames.count + (recipe.ema == nil ? 0 : 1), precision: recipe.precision,
      frozen: recipe.frozen)
  }

  private static func fingerprint(
    _ recipe: Recipe, _ batches: BatchPlan, _ schedule: Schedule,
    data: (training: any Dataset, test: any Dataset, targets: Targets), program: String, privacy: PrivacyPlan?
  ) -> Fingerprint {
    var fingerprint = Fingerprint()
    for (key, value) in [
      ("model", recipe.model.name), ("task", recipe.loss.name), ("epochs", "\(recipe.epochs)"),
      ("global_batch", "\(recipe.globalBatch)"), ("microbatch", "\(batches.microbatch)"),
      ("optimizer", recipe.optimizer.name), ("learning_rate", "\(recipe.learningRate)"),
      ("schedule", "\(schedule)"),
      ("seed", "\(recipe.seed)"), ("reduction", recipe.reduction.rawValue),
      ("training_data", data.training.digest.hex),
      ("test_data", data.test.digest.hex), ("kernels", "\(KernelIdentity.current)"), ("program", program),
    ] { fingerprint[key] = value }
    // Only if it is on, so that checkpoints from before there was clipping have the same recipe.
    fingerprint["clip_norm"] = recipe.clipNorm.map { "\($0)" }
    fingerprint["sample_clip_norm"] = recipe.sampleClipNorm.map { "\($0)" }
    // Likewise.
    fingerprint["augment"] = recipe.augmentation?.description
    fingerprint["subset"] = recipe.subset.map { "\($0)" }
    fingerprint["validation"] = recipe.validation.map { "\($0)" }
    fingerprint["freeze"] = recipe.frozen.isEmpty ? nil : recipe.frozen.map(\.pattern).joined(separator: ",")
    fingerprint["precision"] = recipe.precision == .fp32 ? nil : recipe.precision.rawValue
    fingerprint["scale_learning_rate"] = recipe.rateScaling?.rawValue
    if let privacy {
      for (key, value) in privacy.settings.settings(privacy.mechanism) { fingerprint[key] = value }
    }
    // The name of a user's model says nothing of the layers.
    if !recipe.model.isNamed { fingerprint["layers"] = recipe.model.layersText }
    for (key, value) in recipe.runOptimizer.settings {
      precondition(fingerprint[key] == nil, "the optimizer's \(key) has the name of another line of the recipe")
      fingerprint[key] = value
    }
    for (key, value) in recipe.loss.settings {
      precondition(fingerprint[key] == nil, "the loss' \(key) has the name of another line of the recipe")
      fingerprint[key] = value
    }
    for (key, value) in data.training.preparation {
      precondition(fingerprint[key] == nil, "the data set's \(key) has the name of another line of the recipe")
      fingerprint[key] = value
    }
    // For the same reason as clipping's, only if they are not MNIST's.
    if case .classes(let classes) = data.targets { fingerprint.classes = classes }
    return fingerprint
  }
}

extension Recipe {
  /// All that decides the bits of a run of this recipe on these data, in words; ``Recipe/initialWeights`` aside. Throws as ``Trainer`` does if
  /// the values do not fit one another or the data.
  package func fingerprint(training: any Dataset, test: any Dataset) throws -> Fingerprint {
    try RunPlan(self, training: training, test: test, Execution(), RunOptions(), ranks: 1).fingerprint
  }
}
