/// A run between two steps: all that it needs to go on as if it had never stopped.
///
/// On disk it is a safetensors file (``SafeTensors``) of the tensors in their order. The metadata hold
/// `checkpoint_version`, `epoch`, `sample_offset`, `step`, `seed`, `weights_digest`, and `recipe.KEY` for each line of
/// the recipe; inside an epoch also `epoch_loss`, `epoch_correct`, `epoch_samples` and `epoch_skipped_steps`,
/// and in a run that may stop early `best_loss`, `best_epoch` and `best_step`.
public struct Checkpoint: Sendable {
  /// The tensors in a fixed order: the parameters under their own names, then the optimizer's state for each of them
  /// (``optimizerPrefix``).
  public var tensors: [NamedTensor]
  /// Where the run stands.
  public var state: RunState
  /// The recipe that the run follows.
  public var recipe: Fingerprint
  /// The digest of the parameters' bytes, as the run reports it.
  public var weightsDigest: String

  /// The beginning of the name of every tensor of the optimizer's: `optimizer.m.dense.weight`.
  public static let optimizerPrefix = "optimizer."

  /// The beginning of the names of the weights that stand for a run: nothing or, in a checkpoint of a run that averages
  /// its weights, that of the averages.
  public static func weightsPrefix(_ header: SafeTensorsHeader) -> String {
    header.metadataValue("\(recipePrefix)ema") == nil ? "" : "\(optimizerPrefix)ema."
  }

  /// The version of the metadata. A reader of another version refuses the file.
  static let version = "1"
  package static let recipePrefix = "recipe."

  /// A checkpoint of these tensors; their buffers are shared, not copied.
  public init(tensors: [NamedTensor], state: RunState, recipe: Fingerprint, weightsDigest: String) {
    self.tensors = tensors
    self.state = state
    self.recipe = recipe
    self.weightsDigest = weightsDigest
  }

  /// Writes the checkpoint as the file at `path`, durably and atomically (``AtomicFile``).
  public func write(to path: String) throws(FileWriteError) {
    var metadata = [
      (MetadataKey.version, Self.version),
      (MetadataKey.epoch, String(state.epoch)),
      (MetadataKey.sampleOffset, String(state.sampleOffset)),
      (MetadataKey.step, String(state.step)),
      (MetadataKey.seed, String(state.seed)),
      (MetadataKey.weightsDigest, weightsDigest),
    ]
    // Between epochs there are no sums, and the file is as older versions wrote it.
    if state.sampleOffset > 0 {
      metadata += [
        (MetadataKey.epochLoss, "\(state.sums.loss)"), (MetadataKey.epochCorrect, String(state.sums.correct)),
        (MetadataKey.epochSamples, String(state.sums.samples)),
        (MetadataKey.epochSkippedSteps, String(state.sums.skippedSteps)),
      ]
    }
    if let best = state.best {
      metadata += [
        (MetadataKey.bestLoss, "\(best.loss)"), (MetadataKey.bestEpoch, String(best.epoch)),
        (MetadataKey.bestStep, String(best.step)),
      ]
    }
    metadata += recipe.entries.map { (Self.recipePrefix + $0.key, $0.value) }
    try SafeTensors.write(tensors, metadata: metadata, to: path)
  }

  package enum MetadataKey {
    static let version = "checkpoint_version"
    static let epoch = "epoch"
    static let sampleOffset = "sample_offset"
    package static let step = "step"
    static let seed = "seed"
    static let weightsDigest = "weights_digest"
    static let epochLoss = "epoch_loss"
    static let epochCorrect = "epoch_correct"
    static let epochSamples = "epoch_samples"
    static let epochSkippedSteps = "epoch_skipped_steps"
    static let bestLoss = "best_loss"
    static let bestEpoch = "best_epoch"
    static let bestStep = "best_step"
  }
}
