/// A run between two steps: everything that is needed to go on as if it had never stopped.
///
/// On disk it is a safetensors file (``SafeTensors``): the tensors as they come, and in the metadata
/// `checkpoint_version`, `epoch`, `sample_offset`, `step`, `seed`, `weights_digest`, inside an epoch `epoch_loss`,
/// `epoch_correct`, `epoch_samples` and `epoch_skipped_steps`, and `recipe.KEY` for each line of the recipe.
public struct Checkpoint: Sendable {
  /// The tensors in a fixed order: the parameters under their own names, then what the optimizer keeps for each of them
  /// (``optimizerPrefix``).
  public var tensors: [NamedTensor]
  /// Where the run stands.
  public var state: RunState
  /// What the run is made of.
  public var recipe: Fingerprint
  /// The digest of the parameters' bytes, as the run reports it.
  public var weightsDigest: String

  /// What precedes a parameter's name in everything that belongs to the optimizer.
  public static let optimizerPrefix = "optimizer."

  /// The version of the metadata, refused by a reader of another one.
  static let version = "1"
  static let recipePrefix = "recipe."

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
    // Between epochs there are none, and the file is what it was before there were sums.
    if state.sampleOffset > 0 {
      metadata += [
        (MetadataKey.epochLoss, "\(state.sums.loss)"), (MetadataKey.epochCorrect, String(state.sums.correct)),
        (MetadataKey.epochSamples, String(state.sums.samples)),
        (MetadataKey.epochSkippedSteps, String(state.sums.skippedSteps)),
      ]
    }
    metadata += recipe.entries.map { (Self.recipePrefix + $0.key, $0.value) }
    try SafeTensors.write(tensors, metadata: metadata, to: path)
  }

  enum MetadataKey {
    static let version = "checkpoint_version"
    static let epoch = "epoch"
    static let sampleOffset = "sample_offset"
    static let step = "step"
    static let seed = "seed"
    static let weightsDigest = "weights_digest"
    static let epochLoss = "epoch_loss"
    static let epochCorrect = "epoch_correct"
    static let epochSamples = "epoch_samples"
    static let epochSkippedSteps = "epoch_skipped_steps"
  }
}
