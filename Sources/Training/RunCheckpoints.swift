import Checkpoints
import Collectives
import Kernels
import Steps
import Tensors

/// Saves a run's checkpoints when they are due, and keeps the error of the last one.
///
/// Rank 0 writes. The others take part only if it cannot see their slices of the moments.
package final class RunCheckpoints {
  /// The error of the last checkpoint that was due; nil if it was saved.
  package private(set) var failure: TrainingError?

  private let options: RunOptions
  /// Whether all ranks must take part.
  private let isCollective: Bool
  private let files: RunFiles?
  private let content: CheckpointContent
  /// The slices of the moments; nil if every rank has all of them.
  private let shards: OptimizerShards?
  private let communicator: any Communicator
  private let audience: Audience
  /// Where checkpoints are recorded, for a trace; nil if they are not.
  private let spans: RunSpans?

  private var savedAtStep: Int?
  private var savedAt = ContinuousClock.now
  /// The time of the last requested checkpoint.
  private var savedOnRequestAt: ContinuousClock.Instant?

  /// `files` is nil except on rank 0 of a run with a directory; `restored` is the step resumed from, if any.
  init(
    _ options: RunOptions, _ content: CheckpointContent, files: RunFiles?, shards: OptimizerShards?, restored: Int?,
    communicator: any Communicator, audience: Audience, spans: RunSpans?
  ) {
    self.options = options
    isCollective = shards?.isGatheredByMessages == true && options.directory != nil
    self.files = files
    self.content = content
    self.shards = shards
    savedAtStep = restored
    self.communicator = communicator
    self.audience = audience
    self.spans = spans
  }

  /// The checkpoints of a run all of whose ranks have all of its state.
  package convenience init(
    _ options: RunOptions, _ content: CheckpointContent, files: RunFiles?, restored: Int?,
    communicator: any Communicator, audience: Audience
  ) {
    self.init(
      options, content, files: files, shards: nil, restored: restored, communicator: communicator, audience: audience,
      spans: nil)
  }

  /// Throws on rank 0, with 73, if another job may write into the run's directory by now. This ends a run even if it
  /// goes on without checkpoints that cannot be written: two jobs must not mix their files.
  package func requireLock() throws { try files?.requireLock() }

  /// Saves if the interval between checkpoints is over. Collective if moments are gathered by messages.
  package func saveIfDue(_ state: RunState, epochEnded: Bool) throws {
    let isDue =
      switch options.checkpointEvery {
      case .epochs(let count): epochEnded && state.epoch % count == 0
      case .steps(let count): state.step % count == 0
      case .minutes(let count): (.now - savedAt).seconds >= count * 60
      }
    // The clocks of ranks differ; epochs and steps do not.
    let isClear = if case .minutes = options.checkpointEvery { false } else { !isDue }
    if !isClear { try save(state, if: isDue) }
  }

  /// Answers what the ranks have been asked for, where the run would go on: saves unless it is the last request again, or ends the run as
  /// ``stop(_:asked:between:)`` does. Collective if it ends the run, or if moments are gathered by messages.
  package func answer(_ asked: inout RunRequests, _ state: RunState, between boundary: Boundary) throws {
    guard asked.isDisjoint(with: .ending) else { try stop(state, asked: asked, between: boundary) }
    guard asked.contains(.save) else { return }
    asked = []
    options.control.forget(.save)
    try save(state, if: isNewRequest())
  }

  /// The units of work between which a run can stop.
  package enum Boundary {
    case steps
    case rounds
  }

  /// Ends the run after a checkpoint, on all ranks, because of what they have been asked for. Collective.
  package func stop(_ state: RunState, asked: RunRequests, between boundary: Boundary) throws -> Never {
    try communicator.agree {
      try save(state)
      if let failure { throw failure }
    }
    let cause = asked.contains(.stop) ? "a signal" : "\(Setting.maxTime)"
    let (place, word) =
      switch boundary {
      case .steps: ("at step \(state.step)", "after")
      case .rounds: ("after round \(state.epoch)", "and")
      }
    let rest =
      options.directory.map {
        "\(word) a checkpoint; run the same command again with \(Setting.directory) \($0) to go on"
      } ?? "without a checkpoint, for there is no run directory"
    throw TrainingError.agreed(.stopped, "stopped by \(cause) \(place) \(rest)")
  }

  /// Saves `state` if it is not saved yet and rank 0's `isDue` is true. Collective if moments are gathered by messages.
  package func save(_ state: RunState, if isDue: Bool = true) throws {
    var isDue = isDue && savedAtStep != state.step
    if isCollective { isDue = try communicator.gather(words: [isDue ? 1 : 0])[0][0] == 1 }
    if isDue { try write(state) }
  }

  /// Saves in the middle of an evaluation if `asked` says so. The weights stand still, and rank 0 sees all that there
  /// is to save, unless moments are gathered by messages.
  ///
  /// - Returns: whether nothing is left to save.
  package func saveAtOnce(_ state: RunState, asked: RunRequests) throws -> Bool {
    guard shards?.isGatheredByMessages != true, savedAtStep != state.step else { return true }
    guard !asked.isDisjoint(with: .ending) || asked.contains(.save) && isNewRequest() else { return false }
    try write(state)
    return true
  }

  /// Whether a request for a checkpoint is a new one. If so, it counts as served.
  private func isNewRequest() -> Bool {
    if let last = savedOnRequestAt, .now - last < options.control.pause { return false }
    savedOnRequestAt = .now
    return true
  }

  /// Writes the checkpoint on rank 0; the others go on to the next reduction. Collective if moments are gathered by
  /// messages.
  private func write(_ state: RunState) throws {
    guard files != nil || isCollective else { return }
    let path = try audience.during(.saving(step: state.step)) {
      guard let spans, files != nil else { return try writeFile(state) }
      return try spans.recorder.record(spans.checkpoint) { try writeFile(state) }
    }
    guard let path else { return }
    savedAtStep = state.step
    failure = nil
    try audience.tell { try $0.saved(checkpoint: path, step: state.step) }
  }

  /// Returns the file's path; nil on the other ranks, and if it could not be written and the run goes on.
  private func writeFile(_ state: RunState) throws -> String? {
    var content = content
    if let shards { content.moments = try shards.gather() }
    guard let files else { return nil }
    try requireLock()
    communicator.entered(.checkpoint, step: state.step)
    guard allFinite(content.parameters) else {
      throw TrainingError(
        .rankFailed,
        "step \(state.step): the weights are not finite and are not saved; checkpoints are from before: lower \(Setting.learningRate)"
      )
    }
    // Whether this one fails or not, the next is due an interval later.
    defer { savedAt = .now }
    do { return try files.save(content, state, warn: audience.warn) } catch {
      failure = TrainingError(error)
      try audience.warnOrThrow(error)
      return nil
    }
  }
}
