import Checkpoints
import Collectives
import Kernels
import Tensors

/// A run's checkpoints: when one is due, what it holds, and how the last one went.
///
/// Rank 0 writes; the others take part only where it cannot see their slices of the moments.
final class RunCheckpoints {
  /// Why the last checkpoint that was due is not there.
  private(set) var failure: TrainingError?

  private let interval: RunOptions.CheckpointInterval
  /// Whether all ranks must take part.
  private let isCollective: Bool
  private let files: RunFiles?
  private let content: CheckpointContent
  /// Where every rank has only a slice of the moments.
  private let shards: OptimizerShards?
  private let communicator: any Communicator
  private let audience: Audience
  /// How long after a checkpoint that was asked for another request is the same one.
  private let pause: Duration

  private var savedAtStep: Int?
  private var savedAt = ContinuousClock.now
  /// When the last checkpoint that was asked for was written.
  private var savedOnRequestAt: ContinuousClock.Instant?

  /// Of a run whose `files` rank 0 has, if it has any, and that starts from a checkpoint of step `restored`, if from any.
  init(
    _ options: RunOptions, _ content: CheckpointContent, files: RunFiles?, shards: OptimizerShards?, restored: Int?,
    communicator: any Communicator, audience: Audience
  ) {
    interval = options.checkpointEvery
    isCollective = shards?.isGatheredByMessages == true && options.directory != nil
    self.files = files
    self.content = content
    self.shards = shards
    savedAtStep = restored
    pause = options.control.pause
    self.communicator = communicator
    self.audience = audience
  }

  /// Throws on rank 0, with 73, where another job may write into the run's directory by now. That ends the run even where it goes on
  /// without a checkpoint that cannot be written: what is saved is whole, and two jobs must not mix their files.
  func requireLock() throws { try files?.requireLock() }

  /// Saves where the interval between checkpoints is over. Collective where moments are gathered by messages.
  func saveIfDue(_ state: RunState, epochEnded: Bool) throws {
    let isDue =
      switch interval {
      case .epochs(let count): epochEnded && state.epoch % count == 0
      case .steps(let count): state.step % count == 0
      case .minutes(let count): (.now - savedAt).seconds >= count * 60
      }
    // The clocks of ranks differ; epochs and steps do not.
    let isClear = if case .minutes = interval { false } else { !isDue }
    if !isClear { try save(state, if: isDue) }
  }

  /// Saves where somebody has asked for it. Collective where moments are gathered by messages.
  func saveOnRequest(_ state: RunState) throws { try save(state, if: isNewRequest()) }

  /// Saves what is not saved yet, where rank 0 sees it so and `isDue`. Collective where moments are gathered by messages.
  func save(_ state: RunState, if isDue: Bool = true) throws {
    var isDue = isDue && savedAtStep != state.step
    if isCollective { isDue = try communicator.gather(words: [isDue ? 1 : 0])[0][0] == 1 }
    if isDue { try write(state) }
  }

  /// Saves in the middle of an evaluation, which `asked` may end: the weights stand still, and rank 0 sees all that there is to save,
  /// unless moments are gathered by messages. Returns whether nothing is left to save.
  func saveAtOnce(_ state: RunState, asked: RunRequests) throws -> Bool {
    guard shards?.isGatheredByMessages != true, savedAtStep != state.step else { return true }
    guard !asked.isDisjoint(with: .ending) || asked.contains(.save) && isNewRequest() else { return false }
    try write(state)
    return true
  }

  /// Whether a request for a checkpoint is another one than that which was last served; it is served with this.
  private func isNewRequest() -> Bool {
    if let last = savedOnRequestAt, .now - last < pause { return false }
    savedOnRequestAt = .now
    return true
  }

  /// On rank 0; the others go on, and meet it at the next reduction. Collective where moments are gathered by messages.
  private func write(_ state: RunState) throws {
    var content = content
    if isCollective || files != nil, let shards { content.moments = try shards.gather() }
    guard let files else { return }
    try requireLock()
    communicator.entered(.checkpoint, step: state.step)
    guard allFinite(content.parameters) else {
      throw TrainingError(
        .rankFailed,
        "step \(state.step): the weights are not finite and are not saved; checkpoints are from before: lower \(Setting.learningRate)"
      )
    }
    // Failed or not: the next is due an interval later.
    defer { savedAt = .now }
    let path: String
    do { path = try files.save(content, state, warn: audience.warn) } catch {
      failure = TrainingError(error)
      return try audience.warnOrThrow(error)
    }
    savedAtStep = state.step
    failure = nil
    try audience.tell { try $0.saved(checkpoint: path, step: state.step) }
  }
}
