import FoundationEssentials
import Lockstep

/// An evaluation as a JSON object on one line, for programs.
struct EvaluationJSON: Encodable {
  /// The checkpoint's file.
  let checkpoint: String
  let epoch: Int
  let step: Int
  /// Whether the weights are averages.
  let isAveraged: Bool
  let samples: Int
  /// The mean loss.
  let loss: Double
  let accuracy: Double?
  let metrics: ClassificationReport?
  let errors: RegressionReport?
  let groups: [GroupReport]?

  enum CodingKeys: String, CodingKey {
    case checkpoint, epoch, step, samples, loss, accuracy, metrics, errors, groups
    case isAveraged = "averaged"
  }

  init(_ restored: RestoredNetwork, _ result: Evaluation.Result, _ groups: [GroupReport]) {
    (checkpoint, epoch, step) = (restored.path, restored.state.epoch, restored.state.step)
    (isAveraged, samples, loss) = (restored.isAveraged, result.sums.samples, result.sums.meanLoss)
    (accuracy, metrics, errors) = (result.accuracy, result.report, result.errors)
    self.groups = groups.isEmpty ? nil : groups
  }

  var text: String {
    get throws { try RunJSON.text(of: self, isPretty: false) }
  }
}
