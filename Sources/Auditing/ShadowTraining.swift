import Checkpoints
import Collectives
import Datasets
import Steps
import Training

/// The training of one model of a membership audit.
struct ShadowTraining {
  var recipe: Recipe
  /// The samples that it is trained on.
  var half: any Dataset
  /// The samples that it is asked about.
  var pool: any Dataset
  /// Data that stand for the test data, which the audit has no use for.
  var test: any Dataset

  /// All that the result follows from.
  func fingerprint() throws -> Fingerprint {
    var fingerprint = try recipe.fingerprint(training: half, test: test)
    fingerprint["audited_data"] = pool.digest.hex
    fingerprint["init_from"] = recipe.initialWeights
    return fingerprint
  }

  /// Trains the model on this rank alone, and asks it about all samples. Calls `beat` now and then.
  func result(_ beat: @escaping () throws -> Void) throws -> ShadowResult {
    var steps = 0
    let stepsABeat = max(1, Self.samplesABeat / recipe.globalBatch)
    let keeper = ModelKeeper { _ in
      steps += 1
      if steps.isMultiple(of: stepsABeat) { try beat() }
    }
    let summary = try Trainer(recipe, training: half, test: test, observers: [keeper]).run()
    guard let run = keeper.finished else { throw TrainingError(.rankFailed, "a model's training has not ended") }
    var slices = 0
    let evaluation = Evaluation(network: run.network, data: pool, communicator: SoloCommunicator())
    let confidences = try evaluation.confidences(run.parameters) {
      slices += 1
      if slices.isMultiple(of: Self.samplesABeat / Evaluation.slice) { try beat() }
    }
    return ShadowResult(confidences: confidences, epsilon: summary.privacy?.epsilon)
  }

  /// So few that a beat takes seconds at most, and so many that ranks do not wait for one another all the time.
  private static let samplesABeat = 4096
}
