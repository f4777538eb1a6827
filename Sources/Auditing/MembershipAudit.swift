import Checkpoints
import Collectives
import Datasets
import Kernels
import NeuralNetworks
import Steps
import Tensors
import Training

/// An audit by membership inference: how well one who may ask a model for its confidence in a sample tells whether it was trained on it.
///
/// ``run(_:training:test:directory:on:entered:)`` trains models of a recipe on random halves of the training data and attacks the first: by a
/// threshold on its loss (Yeom et al. 2018), and by ``LikelihoodRatio`` with the others as shadow models.
/// ``attack(_:parameters:members:others:epsilon:on:)`` attacks a model that is there, by its loss.
public struct MembershipAudit: Sendable {
  /// The number of shadow models, even and at least 4.
  public var shadows = 16
  /// The part of cases in which an interval is to hold its figure.
  public var confidence = 0.95

  /// An audit with sixteen shadow models and intervals of 95 %.
  public init() {}

  /// The fault in these values for `recipe`, in one line; nil if there is none.
  public func fault(_ recipe: Recipe) -> String? {
    guard shadows >= 4 && shadows.isMultiple(of: 2) else {
      return "\(shadows) shadow models cannot be; give an even number from 4 on, for they come in pairs"
    }
    return Self.fault(confidence: confidence) ?? Self.fault(recipe)
  }

  static func fault(confidence: Double) -> String? {
    confidence > 0 && confidence < 1 ? nil : "a confidence of \(confidence) is not between 0 and 1"
  }

  /// The fault in a recipe for models that an audit trains.
  static func fault(_ recipe: Recipe) -> String? {
    if recipe.validation != nil {
      return "an audit trains without \(Setting.validation), on samples of its own choice; leave it out"
    }
    guard recipe.loss is any ClassLoss else {
      return "an audit needs classes that a model can be sure of, and \(Setting.task) \(recipe.loss.name) has none"
    }
    return nil
  }

  /// Trains the models, each wholly by one rank, and attacks the first. The report is the same on every rank and, if the recipe's noise follows
  /// from its seed, at any number of ranks. Collective.
  ///
  /// - Parameters:
  ///   - recipe: the recipe of all models. Shadow model i has the seed of the recipe plus i. The halves are of the recipe's subset.
  ///   - test: data of the same kind; not used but to check them.
  ///   - directory: where the finished models' confidences are kept, so that an audit that was stopped goes on; nil for nowhere.
  ///   - entered: called on rank 0 with a line that says what it does next.
  /// - Throws: ``TrainingError``, the same on every rank: 64 if values do not fit one another or the directory is another audit's, 65 if a file
  ///   there is damaged, 73 if one cannot be written.
  public func run(
    _ recipe: Recipe, training: any Dataset, test: any Dataset, directory: String? = nil,
    on communicator: any Communicator = SoloCommunicator(), entered: (String) -> Void = { _ in }
  ) throws -> MembershipReport {
    let (pool, kept) = try communicator.agree { () -> (any Dataset, ShadowFiles?) in
      if let fault = fault(recipe) { throw TrainingError(.usage, fault) }
      let pool = try Self.pool(of: training, recipe)
      guard pool.count >= 8 else { throw TrainingError(.usage, "\(pool.count) samples are too few to be halved") }
      return (pool, communicator.rank == 0 ? try directory.map { try ShadowFiles($0) } : nil)
    }
    let halves = ShadowHalves(samples: pool.count, shadows: shadows, seed: recipe.seed)
    let jobs = try communicator.agree {
      try (0...shadows).map { model in
        var own = recipe
        own.subset = nil
        own.seed = recipe.seed &+ UInt64(model)
        return ShadowTraining(
          recipe: own, half: try Subset(of: pool, indices: halves.members(of: model)), pool: pool,
          test: try Subset(of: test, indices: 0..<1))
      }
    }
    // Ranks that were asked for other things, or compute other bits, would each train models of their own.
    let facts = try communicator.agree { try jobs[0].fingerprint().entries.map { ($0.key, $0.value) } }
    try communicator.requireEqual(facts + [("shadows", "\(shadows)"), ("run_dir", directory ?? "none")])
    try communicator.requireEqualArithmetic()
    var results = try Self.readKept(jobs, kept, communicator)
    let missing = results.indices.filter { results[$0] == nil }
    for start in stride(from: 0, to: missing.count, by: communicator.size) {
      let models = missing[start..<min(start + communicator.size, missing.count)]
      entered("training model \(models.map { "\($0 + 1)" }.joined(separator: ", ")) of \(jobs.count)")
      let mine = start + communicator.rank < missing.count ? jobs[missing[start + communicator.rank]] : nil
      let words = try SideBySide(communicator).run(
        mine.map { job in { beat in try job.result(beat).words } })
      for (model, words) in zip(models, words) { results[model] = ShadowResult(words: words[...]) }
      try communicator.agree {
        for model in models { try kept?.write(results[model], model: model, jobs[model].fingerprint()) }
      }
    }
    entered("attacking")
    return try communicator.agree { try report(results.compactMap { $0 }, halves, model: recipe.model.name) }
  }

  /// The samples that are trained on or left out: those of the recipe's subset.
  static func pool(of training: any Dataset, _ recipe: Recipe) throws -> any Dataset {
    do {
      return try TrainingParts(of: training, subset: recipe.subset, validation: nil, seed: recipe.seed).training
    } catch {
      throw TrainingError(.usage, "\(error)")
    }
  }

  /// The results that rank 0 has kept, on every rank; nil for those that are missing. Collective.
  private static func readKept(
    _ jobs: [ShadowTraining], _ files: ShadowFiles?, _ communicator: any Communicator
  ) throws -> [ShadowResult?] {
    let words = try communicator.agree {
      try files.map { files in
        try jobs.indices.flatMap { model -> [UInt64] in
          let result = try files.read(model: model, jobs[model].fingerprint(), samples: jobs[model].pool.count)
          return result.map { [1] + $0.words } ?? [0]
        }
      } ?? []
    }
    var rest = try communicating { try communicator.gather(words: words) }[0][...]
    return jobs.map { job in
      guard rest.popFirst() == 1 else { return nil }
      let count = ShadowResult.wordCount(samples: job.pool.count)
      defer { rest = rest.dropFirst(count) }
      return ShadowResult(words: rest.prefix(count))
    }
  }

  private func report(_ results: [ShadowResult], _ halves: ShadowHalves, model: String) throws -> MembershipReport {
    for (index, result) in results.enumerated() { try Self.check(result.confidences, "model \(index + 1)") }
    let logits = results.map { $0.confidences.map(\.logit) }
    let (target, isMember) = (results[0], halves.isMember[0])
    let ratio = LikelihoodRatio(confidences: Array(logits.dropFirst()), isMember: Array(halves.isMember.dropFirst()))
    var attacks = [AttackFigures(Self.lossThreshold, logits[0], isMember: isMember, confidence: confidence)]
    attacks += LikelihoodRatio.Variant.allCases.map {
      AttackFigures(
        "LiRA \($0.rawValue)", ratio.scores(of: logits[0], $0), isMember: isMember, confidence: confidence)
    }
    func accuracy(_ kind: Bool) -> Double {
      let own = target.confidences.indices.filter { isMember[$0] == kind }
      return Double(own.count { target.confidences[$0].isCorrect }) / Double(max(1, own.count))
    }
    return MembershipReport(
      model: model, shadows: shadows, members: isMember.count { $0 }, others: isMember.count { !$0 },
      memberAccuracy: accuracy(true), otherAccuracy: accuracy(false), sharesVariance: ratio.sharesVariance,
      epsilon: target.epsilon, confidence: confidence, attacks: attacks)
  }

  /// Attacks a network with the weights `parameters` by its loss, all ranks together: was it trained on these samples? The network must be
  /// planned for ``Evaluation/slice`` samples. Collective; the report is the same on every rank and at any number of ranks.
  ///
  /// - Parameters:
  ///   - members: the samples that it was trained on.
  ///   - others: samples of the same kind that it was not.
  ///   - epsilon: the ε that its training cost, if it was private.
  /// - Throws: ``TrainingError``, with 64 if the loss is over no classes.
  public func attack(
    _ network: Network, parameters: Buffer<Float>, members: any Dataset, others: any Dataset, epsilon: Double? = nil,
    on communicator: any Communicator = SoloCommunicator()
  ) throws -> MembershipReport {
    if let fault = Self.fault(confidence: confidence) { throw TrainingError(.usage, fault) }
    let confidences = try [members, others].map {
      try Evaluation(network: network, data: $0, communicator: communicator).confidences(parameters)
    }
    for part in confidences { try Self.check(part, "the model") }
    func accuracy(_ part: [SampleConfidence]) -> Double { Double(part.count { $0.isCorrect }) / Double(part.count) }
    return MembershipReport(
      model: network.model.name, shadows: nil, members: members.count, others: others.count,
      memberAccuracy: accuracy(confidences[0]), otherAccuracy: accuracy(confidences[1]), sharesVariance: nil,
      epsilon: epsilon, confidence: confidence,
      attacks: [
        AttackFigures(
          Self.lossThreshold, members: confidences[0].map(\.logit), others: confidences[1].map(\.logit),
          confidence: confidence)
      ])
  }

  /// The name of the attack that takes a sample with a small loss for a member. It goes by φ, in whose order the loss falls.
  private static let lossThreshold = "loss threshold"

  /// Throws if a confidence is no number: such samples have no place in an order.
  static func check(_ confidences: [SampleConfidence], _ whose: String) throws {
    guard confidences.contains(where: { !$0.logit.isFinite }) else { return }
    throw TrainingError(
      .usage,
      "the outputs of \(whose) are not all finite, so it cannot be audited; train with a smaller \(Setting.learningRate)"
    )
  }
}
