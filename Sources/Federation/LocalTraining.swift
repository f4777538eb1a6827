import Collectives
import Datasets
import Kernels
import NeuralNetworks
import Optimizers
import Steps
import Tensors
import Training

/// A client's part in a round: steps of SGD on its own samples. One rank takes all of them, so their bits depend on no other.
final class LocalTraining {
  /// How a client's steps went.
  struct Outcome {
    /// The sums over all samples of its steps, with the weights as they changed.
    var losses = LossSums()
    /// Whether loss and weights are finite.
    var isFinite = true
  }

  private let plan: FederatedPlan
  private let network: Network
  private let stepped: [Range<Int>]
  private let averages: RunningAverages
  private let weights: Buffer<Float>
  private let gradient: Buffer<Float>

  /// Steps of the clients of `plan`.
  init(_ plan: FederatedPlan) {
    self.plan = plan
    network = plan.network
    let layout = network.layout
    stepped = layout.ranges(of: [.weight, .bias])
    averages = RunningAverages(of: layout)
    weights = Buffer(count: layout.count)
    gradient = Buffer(count: layout.count)
  }

  /// Trains the client of `participant` from the weights `global` on, and writes `global` − its weights to `update`.
  ///
  /// - Parameters:
  ///   - correction: c − cᵢ of SCAFFOLD, which is added to every gradient; nil for none.
  ///   - willStep: called before each step with the samples that the client has trained on; false ends the client's work.
  /// - Returns: nil if `willStep` ended it.
  func run(
    _ participant: RoundChoice.Participant, round: Int, from global: Buffer<Float>, into update: Buffer<Float>,
    correction: Buffer<Float>?, willStep: (_ samples: Int) -> Bool
  ) -> Outcome? {
    let recipe = plan.recipe
    let client = participant.client
    let batches = plan.batches(of: client)
    let feed = Feed(plan.clients[client], capacity: batches.largestMicrobatch)
    let optimizer = makeOptimizer(round: round)
    weights.copy(from: global)
    // No two clients, rounds or passes share random numbers.
    let part = (round - 1) * recipe.clients + client
    var order = EpochOrder(seed: recipe.seed, epoch: part * recipe.localEpochs, count: batches.samples)
    var outcome = Outcome()
    for step in 0..<participant.steps {
      guard willStep(outcome.losses.samples) else { return nil }
      let pass = step / batches.steps
      if step % batches.steps == 0 && pass > 0 { order.shuffle(epoch: part * recipe.localEpochs + pass) }
      let batch = batches.batch(step % batches.steps)
      for microbatch in batch {
        let noise = Noise(
          seed: recipe.seed, step: part + 1, firstPosition: pass * batches.samples + microbatch.positions.lowerBound)
        outcome.losses += network.differentiate(
          feed.load(order.samples[microbatch.positions], noise: noise), parameters: weights, into: gradient,
          microbatch.index == 0 ? .replace : .add, noise: noise)
      }
      let samples = batch.positions.count
      correct(global, correction, samples: samples)
      averages.move(weights, by: gradient, in: 0..<weights.count, samples: samples)
      optimizer.update(weights, gradient: gradient, samples: samples, step: step + 1)
    }
    update.copy(from: global)
    subtract(weights, times: 1, from: update)
    outcome.isFinite = outcome.losses.loss.isFinite && allFinite(update)
    return outcome
  }

  private func makeOptimizer(round: Int) -> any Optimizer {
    var sgd = plan.recipe.optimizer
    sgd.learningRate = plan.learningRate(round: round)
    return sgd.makeOptimizer(
      state: OptimizerState(sgd.stateNames, of: 0..<weights.count), layout: network.layout, schedule: .constant)
  }

  /// Adds to the gradient, which is a sum over samples, what the strategy has beside the loss.
  private func correct(_ global: Buffer<Float>, _ correction: Buffer<Float>?, samples: Int) {
    if case .fedProx(let mu) = plan.recipe.strategy {
      let factor = mu * Float(samples)
      for range in stepped {
        subtract(weights[range], times: -factor, from: gradient[range])
        subtract(global[range], times: factor, from: gradient[range])
      }
    }
    if let correction {
      for range in stepped { subtract(correction[range], times: -Float(samples), from: gradient[range]) }
    }
  }
}
