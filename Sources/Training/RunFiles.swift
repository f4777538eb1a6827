import Checkpoints
import Tensors

/// The files of a run on rank 0: its directory, held by this process alone, and the checkpoints in it.
package final class RunFiles {
  package let directory: RunDirectory
  private let store: CheckpointStore

  /// Opens the files of a run as `options` ask, if it has any, and reads the checkpoint that it goes on from, if any,
  /// into `content`. Throws if the directory or the checkpoint cannot be used.
  package static func open(
    _ options: RunOptions, epochs: Int, countedBy setting: Setting = .epochs, _ content: CheckpointContent,
    warn: (String) -> Void
  ) throws -> (files: RunFiles?, restored: RunState?) {
    let files = try options.directory.map {
      try RunFiles($0, isNew: options.makesNewDirectory, keep: options.keep)
    }
    let restored = try restore(options, files, content, warn: warn)
    if let restored { try requireAhead(restored, options, epochs: epochs, setting) }
    return (files, restored)
  }

  private static func restore(
    _ options: RunOptions, _ files: RunFiles?, _ content: CheckpointContent, warn: (String) -> Void
  ) throws -> RunState? {
    let here = try files?.newestWhole(strict: options.strict, warn: warn)
    switch options.resume {
    case .never:
      guard let files, let step = try files.newestStep() else { return nil }
      throw TrainingError(
        .cannotWrite,
        "\(files.directory.path): holds a run that reached step \(step); give \(Setting.resume) auto to go on from there, "
          + "or another \(Setting.directory)")
    case .auto:
      guard let here else { return nil }
      return try content.read(here, warn: warn)
    case .file(let path):
      let file = try CheckpointFile(path)
      guard let here else { return try content.read(file, warn: warn) }
      // Two runs of one recipe are the same run, because the bits follow from it. So both go on from the one that is
      // further.
      try file.requireRecipe(content.fingerprint, ignoring: CheckpointContent.free)
      try here.requireRecipe(content.fingerprint, ignoring: CheckpointContent.free)
      guard here.state.step > file.state.step else { return try content.read(file, warn: warn) }
      warn(
        "the run directory holds step \(here.state.step) of this run, which is further than step \(file.state.step) of "
          + "\(path): going on from there")
      return try content.read(here, warn: warn)
    }
  }

  /// Throws with 64 if the run has gone further than it is asked to go: it cannot go backwards.
  private static func requireAhead(_ state: RunState, _ options: RunOptions, epochs: Int, _ setting: Setting) throws {
    let begun = state.epoch + (state.sampleOffset > 0 ? 1 : 0)
    guard begun <= epochs else {
      throw TrainingError(
        .usage,
        "the run is in \(setting == .epochs ? "epoch" : "round") \(begun) already, at step \(state.step), beyond \(setting) \(epochs): give \(setting) "
          + "\(begun) or more, or another \(Setting.directory)")
    }
    guard state.step <= options.maxSteps ?? .max else {
      throw TrainingError(
        .usage,
        "the run is at step \(state.step) already, beyond \(Setting.maxSteps) \(options.maxSteps ?? 0): give \(Setting.maxSteps) "
          + "\(state.step) or more, or another \(Setting.directory)")
    }
  }

  /// Makes the directory and takes its lock. Throws ``RunDirectoryError`` or ``FileWriteError``, which are 73.
  private init(_ path: String, isNew: Bool, keep: Int) throws {
    directory = isNew ? try .makeNew(path) : try RunDirectory(path)
    store = CheckpointStore(directory: directory.checkpoints, keep: keep)
    try store.prepare()
  }

  /// The step of the newest checkpoint by name, whole or damaged; nil if there is none.
  func newestStep() throws -> Int? { try store.list().first?.step }

  /// The newest whole checkpoint, opened; nil if there is none. With `strict`, throws if any is damaged.
  private func newestWhole(strict: Bool, warn: (String) -> Void) throws -> CheckpointFile? {
    try store.newestWhole(strict: strict, onDamage: { warn($0.description) })
  }

  /// Throws ``RunDirectoryError`` if another job may hold the directory by now.
  func requireLock() throws { try directory.requireLock() }

  /// Saves a checkpoint and returns its path. If it throws ``FileWriteError``, every older checkpoint is still there.
  func save(_ content: CheckpointContent, _ state: RunState, warn: (String) -> Void) throws -> String {
    let saved = try store.save(content.checkpoint(state))
    for failure in saved.notRemoved { warn(failure.description) }
    return saved.path
  }
}
