import Datasets
import NeuralNetworks
import Optimizers
import Privacy
import SecureAggregation
import Tensors
import Training

/// All that decides the weights of a federated run, to the bit, beside its data: on any number of ranks.
///
/// In a round some clients take steps of SGD on their own samples, from the model's weights on, and the server takes a step along the mean
/// of their differences, each client counted by its samples. The defaults are those of McMahan et al. 2017 for images: 100 clients, of which
/// a tenth take part in a round, with five passes over their samples in batches of ten.
public struct FederatedRecipe: Sendable {
  /// The network that is trained.
  public var model: Model
  /// The loss that the clients make small.
  public var loss: any Loss
  /// What clients and server do in a round.
  public var strategy = FederatedStrategy.fedAvg
  /// The server's learning rate ηₛ; nil for the strategy's usual one.
  public var serverRate: Float?
  /// The number of clients.
  public var clients = 100
  /// How the training samples are spread over them.
  public var partition = ClientPartition.iid
  /// The number of rounds.
  public var rounds = 50
  /// The part of the clients that is chosen in a round, C; at least one is. In a private run the probability with which each is.
  public var clientFraction = 0.1
  /// The passes of a chosen client over its samples, E.
  public var localEpochs = 5
  /// The samples of a client's step, B; nil for all that it has.
  public var localBatch: Int? = 10
  /// The clients' optimizer. Its momentum is zero at the start of each round.
  public var optimizer = SGD(learningRate: 0.1)
  /// The factor of the clients' learning rate from one round to the next.
  public var rateDecay: Float = 1
  /// The probability with which a chosen client does only a part of its steps, at random between one and all of them.
  public var stragglers = 0.0
  /// The probability with which a chosen client drops out: its update is in no sum.
  public var dropouts = 0.0
  /// The norm that updates are clipped to; nil for no limit.
  public var updateClip: UpdateClip?
  /// Differential privacy for clients (McMahan et al. 2018, arXiv 1710.06963); nil for none. The unit is a client with all its samples: each is
  /// chosen with probability ``clientFraction``, independently of the others; all clipped updates count alike, and the noise is added to their
  /// sum once. It needs ``updateClip``.
  public var privacy: PrivateTraining?
  /// How the updates become one sum.
  public var aggregation = Aggregation.tree
  /// The random changes of the images that are trained on; nil for none.
  public var augmentation: Augmentation?
  /// The number of samples of the training data that are used, chosen by the seed; nil for all.
  public var subset: Int?
  /// The patterns of the names of parameters that stay as they begin.
  public var frozen: [Glob] = []
  /// The seed of the first weights, the partition, the choice of clients and their conduct, the order of samples, and all other noise.
  public var seed: UInt64 = 0

  /// The paper's recipe with this model and loss.
  public init(model: Model, loss: any Loss) {
    self.model = model
    self.loss = loss
  }

  /// How the clients' updates become one sum.
  public enum Aggregation: Sendable, Hashable {
    /// By the fixed tree over the clients of the round.
    case tree
    /// Behind masks, so that nobody sees a single update (``SecureAggregationRound``). Weighted values are clipped to ±8 and rounded to one of
    /// 2²² steps.
    case secure
  }

  /// The most samples of a pass through the network: a larger batch of a client is cut into such microbatches.
  static let mostSamples = 64

  /// The fault in these values, in one line; nil if there is none.
  public var fault: String? {
    for (name, value) in [
      (Setting.clients, clients), (.rounds, rounds), (.localEpochs, localEpochs), (.localBatch, localBatch ?? 1),
    ] where value < 1 {
      return "\(name) \(value) is less than 1"
    }
    // Rounds, clients and passes number streams of random words.
    for (name, value) in [(Setting.clients, clients), (.rounds, rounds), (.localEpochs, localEpochs)]
    where value > 1_000_000 {
      return "\(name) \(value) is more than 1000000"
    }
    guard clients.multipliedReportingOverflow(by: rounds).partialValue < 1 << 31 else {
      return
        "\(Setting.rounds) \(rounds) of \(Setting.clients) \(clients) are too many: give fewer than \((1 << 31) / clients)"
    }
    if !(clientFraction > 0 && clientFraction <= 1) {
      return "\(Setting.clientFraction) \(clientFraction) is not above 0 and at most 1"
    }
    for (name, part) in [(Setting.stragglers, stragglers), (.dropouts, dropouts)] where !(part >= 0 && part <= 1) {
      return "\(name) \(part) is not from 0 to 1"
    }
    if !(rateDecay > 0 && rateDecay <= 1) {
      return "\(Setting.learningRateDecay) \(rateDecay) is not above 0 and at most 1"
    }
    if let serverRate, !(serverRate > 0 && serverRate.isFinite) {
      return "\(Setting.serverLearningRate) \(serverRate) is not a positive number"
    }
    if aggregation == .secure {
      guard strategy != .scaffold else {
        return
          "\(Setting.secureAggregation) adds up updates alone, and scaffold's clients send variates too; give another strategy"
      }
      guard clients <= 1 << 20 && clientsPerRound <= AggregationSetup.largestClientCount / 2 else {
        return
          "\(Setting.secureAggregation) takes up to \(AggregationSetup.largestClientCount / 2) clients a round; give a smaller \(Setting.clientFraction)"
      }
    }
    if let fault = optimizer.fault ?? strategy.fault.map({ "\(strategy.name): \($0)" }) ?? updateClip?.fault {
      return fault
    }
    if strategy == .scaffold && optimizer.momentum != 0 {
      return "scaffold's variates are those of steps without \(Setting.momentum); leave it out"
    }
    return faultOfPrivacy
  }

  private var faultOfPrivacy: String? {
    guard let privacy else { return nil }
    if let fault = privacy.fault { return fault }
    guard updateClip != nil else { return "a private run clips the clients' updates; give \(Setting.updateClip)" }
    if strategy == .scaffold {
      return
        "scaffold's clients send variates beside their updates, which a private run has no noise for; give another strategy"
    }
    guard privacy.delta < 1 / Double(clients) else {
      return
        "\(Setting.delta) \(privacy.delta) protects none of \(clients) clients; give less than \(1 / Double(clients))"
    }
    return nil
  }

  /// The clients of a round where none drops out: as many or, in a private run, as are expected.
  var clientsPerRound: Int { max(1, Int((clientFraction * Double(clients)).rounded())) }

  /// The recipe of a client's steps, as plans, reports and checkpoints take it: an epoch of it is a round.
  func base(samples: Int) -> Recipe {
    var recipe = Recipe(model: model, loss: loss)
    recipe.optimizer = optimizer
    recipe.epochs = rounds
    recipe.globalBatch = localBatch ?? samples
    recipe.microbatch = min(recipe.globalBatch, Self.mostSamples)
    (recipe.augmentation, recipe.subset, recipe.frozen, recipe.seed) = (augmentation, subset, frozen, seed)
    return recipe
  }

  /// The lines that a checkpoint's recipe has beside those of ``base(samples:)``.
  var settings: [(key: String, value: String)] {
    var settings = [
      ("federation", "\(strategy)"), ("server_learning_rate", "\(serverRate ?? strategy.usualServerRate)"),
      ("clients", "\(clients)"), ("partition", "\(partition)"), ("client_fraction", "\(clientFraction)"),
      ("local_epochs", "\(localEpochs)"), ("local_batch", localBatch.map(String.init) ?? "all"),
      ("learning_rate_decay", "\(rateDecay)"), ("stragglers", "\(stragglers)"), ("dropouts", "\(dropouts)"),
    ]
    // Only if it is on.
    if aggregation == .secure { settings.append(("aggregation", "secure")) }
    if let updateClip { settings.append(("update_clip", "\(updateClip)")) }
    return settings
  }

  /// What is federated about it, in words.
  var text: String {
    let share = privacy == nil ? "\(clientsPerRound) a round" : "each in a round with probability \(clientFraction)"
    let behind = aggregation == .secure ? ", added up behind masks" : ""
    return "\(strategy) with \(clients) clients, \(partition), \(share); \(localEpochs) local epoch"
      + "\(localEpochs == 1 ? "" : "s") in batches of \(localBatch.map(String.init) ?? "all samples")\(behind)"
  }
}
