import Exchange
import Training

/// A run's recipe, as TensorBoard's tab of hyperparameters reads it (`plugins/hparams/plugin_data.proto` and `api.proto`).
///
/// TensorBoard takes the list of all hyperparameters from one run of a directory, so every run lists all, also those that it
/// does not have.
struct Hyperparameters {
  /// The value of a hyperparameter; nil if the run does not have it.
  private enum Value {
    case number(Double?)
    case text(String?)
  }

  static let experimentTag = "_hparams_/experiment"
  static let sessionEndTag = "_hparams_/session_end_info"
  /// The figures by which runs are compared.
  private static let metrics: [EpochFigures.CodingKeys] = [
    .testAccuracy, .testLoss, .validationAccuracy, .validationLoss, .trainAccuracy, .trainLoss, .samplesPerSecond,
  ]

  private let values: [(name: String, value: Value)]

  /// The hyperparameters of `run`.
  init(of run: RunDescription) {
    let recipe = run.recipe
    func number(_ value: Float?) -> Value { .number(value.flatMap { Double("\($0)") }) }
    values = [
      ("model", .text(recipe.model.name)),
      ("task", .text(recipe.loss.name)),
      ("optimizer", .text(recipe.optimizer.name)),
      ("optimizer_settings", .text(Self.list(recipe.optimizer.settings.map { "\($0.key) \($0.value)" }))),
      ("loss_settings", .text(Self.list(recipe.loss.settings.map { "\($0.key) \($0.value)" }))),
      ("learning_rate", number(recipe.scaledLearningRate)),
      ("schedule", .text(recipe.schedule.rawValue)),
      ("warmup", .number(Double(recipe.warmup))),
      ("epochs", .number(Double(recipe.epochs))),
      ("global_batch", .number(Double(recipe.globalBatch))),
      ("microbatch", .number(Double(run.microbatch))),
      ("precision", .text(recipe.precision.rawValue)),
      ("seed", .number(Double(recipe.seed))),
      ("clip_norm", number(recipe.clipNorm)),
      ("sample_clip_norm", number(recipe.sampleClipNorm)),
      ("augment", .text(recipe.augmentation?.description)),
      ("subset", .number(recipe.subset.map { Double($0) })),
      ("validation", number(recipe.validation)),
      ("ema", number(recipe.ema)),
      ("init_from", .text(recipe.initialWeights)),
      ("freeze", .text(Self.list(recipe.frozen.map(\.pattern)))),
      ("ranks", .number(Double(run.ranks))),
    ]
  }

  private static func list(_ texts: [String]) -> String? { texts.isEmpty ? nil : texts.joined(separator: ", ") }

  /// The lists of all hyperparameters, and of the metrics that are shown beside them.
  var experiment: SummaryValue {
    let experiment = ProtobufMessage { message in
      for (name, value) in values {
        let info = ProtobufMessage {
          $0.add(1, name)
          // DATA_TYPE_FLOAT64 or DATA_TYPE_STRING.
          if case .number = value { $0.add(4, 3) } else { $0.add(4, 1) }
        }
        message.add(4, info)
      }
      for tag in Self.metrics.compactMap({ TensorBoardRecord.tag(of: $0) }) {
        message.add(5, ProtobufMessage { $0.add(1, ProtobufMessage { $0.add(2, tag) }) })
      }
    }
    return Self.summary(Self.experimentTag, field: 2, experiment)
  }

  /// The values of the run's hyperparameters, and its start in seconds since 1970.
  func sessionStart(at time: Double) -> SummaryValue {
    let start = ProtobufMessage { message in
      for (name, value) in values {
        let content: ProtobufMessage? =
          switch value {
          case .number(let number): number.map { number in ProtobufMessage { $0.add(2, number) } }
          case .text(let text): text.map { text in ProtobufMessage { $0.add(3, text) } }
          }
        guard let content else { continue }
        // An entry of a map: key and value.
        let entry = ProtobufMessage {
          $0.add(1, name)
          $0.add(2, content)
        }
        message.add(1, entry)
      }
      message.add(5, time)
    }
    return Self.summary("_hparams_/session_start_info", field: 3, start)
  }

  /// The successful end of a run, in seconds since 1970.
  static func sessionEnd(at time: Double) -> SummaryValue {
    let end = ProtobufMessage {
      // STATUS_SUCCESS.
      $0.add(1, 1)
      $0.add(2, time)
    }
    return summary(sessionEndTag, field: 4, end)
  }

  private static func summary(_ tag: String, field: Int, _ content: ProtobufMessage) -> SummaryValue {
    .plugin(tag, "hparams", ProtobufMessage { $0.add(field, content) })
  }
}
