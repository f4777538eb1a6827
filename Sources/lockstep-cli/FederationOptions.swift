import ArgumentParser
import Lockstep

/// What clients and server do in a round.
struct FederationOptions: ParsableArguments {
  /// The strategies, without their constants.
  enum Strategy: String, CaseIterable, ExpressibleByArgument {
    case fedavg, fedprox, fedadam, scaffold
  }

  @Option(help: "What clients and server do in a round.")
  var strategy = Strategy.fedavg

  @Option(help: "The number of rounds.")
  var rounds = 50

  @Option(help: "The passes of a chosen client over its samples.")
  var localEpochs = 5

  @Option(help: "The samples of a client's step, or all: all that it has.")
  var localBatch = LocalBatch(samples: 10)

  @Option(help: "The clients' step size.")
  var learningRate: Float = 0.1

  @Option(help: "The factor of the clients' step size from one round to the next.")
  var learningRateDecay: Float = 1

  @Option(help: "The part of a client's last step that is taken again, from 0 to below 1.")
  var momentum: Float = 0

  @Option(help: "The pull of weights towards zero at the clients, of biases not.")
  var weightDecay: Float = 0

  @Option(help: "The server's step size. (default: 1; fedadam: 0.1)")
  var serverLearningRate: Float?

  @Option(help: "fedprox: the pull of a client's weights towards the server's. (default: 0.01)")
  var mu: Float?

  @Option(name: .customLong("beta1"), help: "fedadam: the part of the first moment that stays. (default: 0.9)")
  var beta1: Float?

  @Option(name: .customLong("beta2"), help: "fedadam: the part of the second moment that stays. (default: 0.99)")
  var beta2: Float?

  @Option(help: "fedadam: what is added to the second moment's root. (default: 0.001)")
  var tau: Float?

  @Flag(help: "Adds the clients' updates up behind masks, so that the server sees their sum alone.")
  var secureAggregation = false

  func validate() throws {
    guard strategy == .fedprox || mu == nil else { throw ValidationError("--mu needs --strategy fedprox") }
    for (flag, value) in [("--beta1", beta1), ("--beta2", beta2), ("--tau", tau)] where value != nil {
      guard strategy == .fedadam else { throw ValidationError("\(flag) needs --strategy fedadam") }
    }
  }

  func apply(to recipe: inout FederatedRecipe) {
    recipe.strategy =
      switch strategy {
      case .fedavg: .fedAvg
      case .fedprox: .fedProx(mu: mu ?? 0.01)
      case .fedadam: .fedAdam(beta1: beta1 ?? 0.9, beta2: beta2 ?? 0.99, tau: tau ?? 1e-3)
      case .scaffold: .scaffold
      }
    recipe.aggregation = secureAggregation ? .secure : .tree
    recipe.rounds = rounds
    recipe.localEpochs = localEpochs
    recipe.localBatch = localBatch.samples
    recipe.optimizer = SGD(learningRate: learningRate, momentum: momentum, weightDecay: weightDecay)
    recipe.rateDecay = learningRateDecay
    recipe.serverRate = serverLearningRate
  }
}

/// The samples of a client's step: a number, or `all`.
struct LocalBatch: ExpressibleByArgument, CustomStringConvertible {
  /// nil for all.
  let samples: Int?

  init(samples: Int?) { self.samples = samples }

  init?(argument: String) {
    guard argument != "all" else {
      samples = nil
      return
    }
    guard let count = Int(argument) else { return nil }
    samples = count
  }

  var description: String { samples.map(String.init) ?? "all" }
  var defaultValueDescription: String { description }
}
