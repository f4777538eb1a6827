import Collectives
import Datasets
import Kernels
import NeuralNetworks
import Steps
import Tensors
import Training

/// An audit by canaries: one training run, in which each of some odd samples takes part by a fair coin, bounds the run's ε from below by how
/// well the coins are guessed from the model's confidence in them (``OneRunBound``).
///
/// Of private training the bound must stay below the accountant's ε. It says nothing against training that it does not catch: an attack on
/// the finished model sees less than the accountant allows for.
public struct CanaryAudit: Sendable {
  /// The number of canaries, at least 16.
  public var canaries = 1000
  /// What they are.
  public var kind = CanaryData.Kind.mislabelled
  /// The δ of the bound; of a private recipe its own counts.
  public var delta = 1e-5
  /// The part of cases in which the bound is to hold.
  public var confidence = 0.95

  /// An audit with a thousand mislabelled samples, at 95 %.
  public init() {}

  /// The fewest canaries.
  private static let fewest = 16

  /// The fault in these values for `recipe`, in one line; nil if there is none.
  public func fault(_ recipe: Recipe) -> String? {
    if canaries < Self.fewest { return "\(canaries) canaries bound nothing; give \(Self.fewest) or more" }
    if !(delta > 0 && delta < 1) { return "\(Setting.delta) \(delta) is not between 0 and 1" }
    return MembershipAudit.fault(confidence: confidence) ?? MembershipAudit.fault(recipe)
  }

  /// Trains a model of `recipe` by all ranks together, on the training data with the canaries that the coins let in, and guesses the coins. The
  /// report is the same on every rank and, if the recipe's noise follows from its seed, at any number of ranks. Collective.
  ///
  /// - Parameters:
  ///   - recipe: the recipe. Canaries are chosen among the samples of its subset. Its seed is that of canaries and coins, too.
  ///   - observers: are told of the run on rank 0. Its test data are a single sample.
  ///   - entered: called on rank 0 with a line that says what it does next.
  /// - Throws: ``TrainingError``, as ``Trainer`` does, and with 64 if values do not fit one another.
  public func run(
    _ recipe: Recipe, training: any Dataset, test: any Dataset, execution: Execution = Execution(),
    on communicator: any Communicator = SoloCommunicator(), observers: [any Observer] = [],
    entered: (String) -> Void = { _ in }
  ) throws -> CanaryReport {
    let (data, coins) = try communicator.agree { () -> (CanaryData, [Bool]) in
      guard fault(recipe) == nil, let loss = recipe.loss as? any ClassLoss else {
        throw TrainingError(.usage, fault(recipe) ?? "canaries need classes")
      }
      let data = try CanaryData(
        of: MembershipAudit.pool(of: training, recipe), count: canaries, kind, loss: loss, seed: recipe.seed)
      var words = Philox(seed: recipe.seed, purpose: .canaryCoins, stream: 0)
      return (data, data.canaries.map { _ in words.next() >> 31 == 1 })
    }
    let (trained, oneTest) = try communicator.agree { () -> (Subset, Subset) in
      var isIn = [Bool](repeating: true, count: data.count)
      for (canary, isIncluded) in zip(data.canaries, coins) { isIn[canary] = isIncluded }
      guard isIn.contains(true) else { throw TrainingError(.usage, "no samples are left to train on") }
      return (
        try Subset(of: data, indices: isIn.indices.filter { isIn[$0] }), try Subset(of: test, indices: 0..<1)
      )
    }
    var own = recipe
    own.subset = nil
    entered("training with \(canaries) canaries")
    let keeper = ModelKeeper { _ in }
    let summary = try Trainer(
      own, training: trained, test: oneTest, execution: execution, on: communicator, observers: observers + [keeper]
    ).run()
    entered("asking the model")
    // Rank 0 alone was given the network as it was tested.
    let words = try communicator.agree { () -> [UInt64] in
      guard let run = keeper.finished else { return [] }
      func evaluation(of data: any Dataset) -> Evaluation {
        Evaluation(network: run.network, data: data, communicator: SoloCommunicator())
      }
      let beat = { communicator.entered(.evaluation, step: nil) }
      let confidences = try evaluation(of: Subset(of: data, indices: data.canaries)).confidences(
        run.parameters, beforeSlice: beat)
      let accuracy = try evaluation(of: test).run(run.parameters, beforeSlice: beat).accuracy
      return [(accuracy ?? .nan).bitPattern] + confidences.words
    }
    let found = try communicating { try communicator.gather(words: words) }[0]
    return try communicator.agree {
      try report(
        [SampleConfidence](words: found.dropFirst()), coins, trained: trained.count,
        accuracy: Double(bitPattern: found[0]), summary)
    }
  }

  private func report(
    _ confidences: [SampleConfidence], _ coins: [Bool], trained: Int, accuracy: Double, _ summary: TrainingSummary
  ) throws -> CanaryReport {
    try MembershipAudit.check(confidences, "the model")
    let scores = confidences.map(\.logit)
    guard coins.contains(true) && coins.contains(false) else {
      throw TrainingError(.usage, "all coins fell alike; give more canaries, or another seed")
    }
    let delta = summary.privacy?.delta ?? delta
    let (bound, epsilon) = OneRunBound.best(scores: scores, isIncluded: coins, delta: delta, confidence: confidence)
    let figures = AttackFigures("loss threshold", scores, isMember: coins, confidence: confidence)
    return CanaryReport(
      model: summary.model, kind: kind, canaries: coins.count, included: coins.count { $0 }, samples: trained,
      guesses: bound.guesses, correct: bound.correct, epsilonLowerBound: epsilon, delta: delta, confidence: confidence,
      auc: figures.auc, aucInterval: figures.aucInterval, testAccuracy: accuracy.isNaN ? nil : accuracy,
      privacy: summary.privacy)
  }
}
