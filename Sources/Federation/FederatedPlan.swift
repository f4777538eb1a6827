import Checkpoints
import Collectives
import Datasets
import Kernels
import NeuralNetworks
import Privacy
import SecureAggregation
import Tensors
import Training

/// The plan of a federated run, made before its first round from its recipe and data alone: the same on every rank.
struct FederatedPlan {
  let recipe: FederatedRecipe
  /// The recipe of the clients' steps, for reports and checkpoints.
  let base: Recipe
  let network: Network
  /// The samples of each client.
  let clients: [any Dataset]
  /// The sampling and noise of a round; nil of a run that is not private.
  let mechanism: SubsampledGaussian?
  /// All that decides the bits of the run, in words.
  let fingerprint: Fingerprint
  /// The fingerprint, and the other values that must be the same on all ranks.
  let facts: [(name: String, value: String)]
  /// The samples of all clients.
  let samples: Int

  /// The plan for `ranks` ranks. Throws if the values are out of their ranges, or do not fit one another, the data or the ranks.
  init(
    _ recipe: FederatedRecipe, training: any Dataset, test: any Dataset, _ execution: Execution, _ options: RunOptions,
    ranks: Int
  ) throws {
    if let fault = recipe.fault { throw TrainingError(.usage, fault) }
    if options.earlyStopping != nil || options.savesBest || options.trace != nil {
      let setting: Setting = options.trace != nil ? .trace : options.savesBest ? .savesBest : .earlyStopping
      throw TrainingError(.usage, "\(setting) is not for federated runs; leave it out")
    }
    guard recipe.subset == nil || recipe.partition != .given else {
      throw TrainingError(.usage, "\(Setting.subset) takes samples away from clients that have their own; leave it out")
    }
    self.recipe = recipe
    base = recipe.base(samples: training.count)
    // A client's steps are all on one rank.
    let run = try RunPlan(base, training: training, test: test, execution, options, ranks: 1)
    network = run.network
    let layout = network.layout
    if recipe.privacy != nil && layout.parameters.contains(where: { $0.role == .average }) {
      throw TrainingError(
        .usage,
        "the batch normalisation of \(Setting.model) \(escaped(recipe.model.name)) keeps averages of the samples, which a private run has "
          + "no noise for; give another model")
    }
    guard ranks <= recipe.clientsPerRound else {
      throw TrainingError(
        .usage,
        "\(ranks) ranks are more than the \(recipe.clientsPerRound) clients of a round, and some would never work; start fewer, or give "
          + "more \(Setting.clients) or a larger \(Setting.clientFraction)")
    }
    let parts = try recipe.partition.split(run.training, clients: recipe.clients, seed: recipe.seed)
    do { clients = try parts.map { try Subset(of: run.training, indices: $0) } } catch { throw TrainingError(error) }
    samples = run.training.count
    mechanism = try Self.mechanism(recipe)
    var fingerprint = run.fingerprint
    for (key, value) in recipe.settings { fingerprint[key] = value }
    if let mechanism, let privacy = recipe.privacy {
      for (key, value) in privacy.settings(mechanism) { fingerprint[key] = value }
      fingerprint["private_unit"] = "client"
    }
    self.fingerprint = fingerprint
    let most = clients.map(\.count).max() ?? 1
    // The places of a client's samples in a round number streams of random words.
    guard most.multipliedReportingOverflow(by: recipe.localEpochs).partialValue < 1 << 31 else {
      throw TrainingError(
        .usage, "\(Setting.localEpochs) \(recipe.localEpochs) of \(most) samples are too many; give fewer")
    }
    guard recipe.aggregation == .tree || recipe.privacy != nil || most <= AggregationSetup.largestWeight else {
      throw TrainingError(
        .usage,
        "\(Setting.secureAggregation) takes up to \(AggregationSetup.largestWeight) samples a client, and one has \(most); give more "
          + "\(Setting.clients)")
    }
    facts =
      run.facts + recipe.settings.filter { !Self.optional.contains($0.key) }.map { ($0.key, $0.value) }
      + [
        ("aggregation", "\(recipe.aggregation)"), ("update_clip", recipe.updateClip.map { "\($0)" } ?? "none"),
        ("private_noise", fingerprint["private_noise"] ?? "none"),
        ("private_source", fingerprint["private_source"] ?? "none"),
      ]
  }

  /// The lines of the recipe that not every run has.
  private static let optional: Set<String> = ["aggregation", "update_clip"]

  private static func mechanism(_ recipe: FederatedRecipe) throws -> SubsampledGaussian? {
    guard let mechanism = try recipe.privacy?.mechanism(rate: recipe.clientFraction, steps: recipe.rounds) else {
      return nil
    }
    if let noise = UpdateNoise(recipe, mechanism), !(noise.updateMultiplier > 0) {
      throw TrainingError(
        .usage,
        "\(Setting.countNoise) \(noise.countDeviation) is too little for \(Setting.noiseMultiplier) \(mechanism.noiseMultiplier); give "
          + "more than \(mechanism.noiseMultiplier / 2)")
    }
    return mechanism
  }

  /// The most clients whose updates are added up in a round.
  var mostClients: Int {
    guard recipe.privacy != nil else { return recipe.clientsPerRound }
    return min(
      recipe.clients, PrivateTraining.room(expected: recipe.clientFraction * Double(recipe.clients)))
  }

  /// The largest weight of a client.
  var largestWeight: Int { recipe.privacy == nil ? clients.map(\.count).max() ?? 1 : 1 }

  /// The most that the aggregation's rounding adds to an update's norm.
  var roundingError: Double {
    recipe.aggregation == .secure ? SecureUpdates.step * Double(network.layout.learntCount).squareRoot() : 0
  }

  /// The steps of `client` for all of its passes.
  func steps(of client: Int) -> Int { batches(of: client).steps * recipe.localEpochs }

  /// The cut of a client's samples into batches.
  func batches(of client: Int) -> BatchPlan {
    let count = clients[client].count
    let batch = min(recipe.localBatch ?? count, count)
    do {
      return try BatchPlan(samples: count, globalBatch: batch, microbatch: min(batch, FederatedRecipe.mostSamples))
    } catch {
      preconditionFailure("\(error)")
    }
  }

  /// The samples of the first `steps` steps of `client`.
  func samples(of client: Int, steps: Int) -> Int {
    let batches = batches(of: client)
    let (passes, rest) = steps.quotientAndRemainder(dividingBy: batches.steps)
    return passes * batches.samples + rest * batches.globalBatch
  }

  /// The clients' learning rate in `round`, from 1.
  func learningRate(round: Int) -> Float { description.learningRate(round: round, of: recipe.optimizer.learningRate) }

  /// The facts for reports.
  var description: FederationDescription {
    FederationDescription(settings: recipe.settings, text: recipe.text, rateDecay: recipe.rateDecay)
  }

  /// The privacy that `rounds` rounds cost; nil of a run that is not private.
  func spent(_ rounds: Int) throws -> PrivacySpent? {
    guard let mechanism else { return nil }
    return try recipe.privacy?.spent(PrivacyLedger(mechanism, steps: rounds), mechanism)
  }
}
