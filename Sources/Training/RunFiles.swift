import Checkpoints
import NeuralNetworks
import Tensors

/// The files of a run on rank 0: its directory, held by this process alone, and the checkpoints in it.
final class RunFiles {
  let directory: RunDirectory
  private let store: CheckpointStore

  /// The files of a run that starts as `configuration` asks, if it has any; and where it goes on from, with `content` read.
  static func open(
    _ configuration: TrainingConfiguration, _ content: CheckpointContent, warn: (String) -> Void
  ) throws(TrainingError) -> (files: RunFiles?, restored: RunState?) {
    let files = try configuration.runDirectory.map { path throws(TrainingError) in
      try RunFiles(path, keep: configuration.keep)
    }
    switch configuration.resume {
    case .never:
      if let files, let step = try files.newestStep() {
        throw TrainingError(
          .cannotWrite,
          "\(files.directory.path): holds a run that reached step \(step); give --resume auto to go on from there, "
            + "or another --run-dir")
      }
      return (files, nil)
    case .auto:
      return (files, try files?.restoreNewest(into: content, strict: configuration.strict, warn: warn) ?? nil)
    case .file(let path):
      return (
        files,
        try reading { () throws(CheckpointError) in try content.read(try CheckpointFile(path), warn: warn) }
      )
    }
  }

  /// Makes the directory and takes its lock. Throws with 73 where it cannot be written.
  init(_ path: String, keep: Int) throws(TrainingError) {
    do throws(RunDirectoryError) { directory = try RunDirectory(path) } catch {
      throw TrainingError(.cannotWrite, error.description)
    }
    store = CheckpointStore(directory: directory.checkpoints, keep: keep)
    do throws(FileWriteError) { try store.prepare() } catch { throw TrainingError(.cannotWrite, error.description) }
  }

  /// The step of the newest checkpoint by name, whole or not.
  func newestStep() throws(TrainingError) -> Int? {
    try reading { () throws(CheckpointError) in try store.list().first?.step }
  }

  /// Reads the newest whole checkpoint into `content`; nil where there is none. With `strict`, every one must be whole.
  func restoreNewest(
    into content: CheckpointContent, strict: Bool, warn: (String) -> Void
  ) throws(TrainingError) -> RunState? {
    try reading { () throws(CheckpointError) in
      guard let file = try store.newestWhole(strict: strict, onDamage: { warn($0.description) }) else { return nil }
      return try content.read(file, warn: warn)
    }
  }

  /// Saves and returns the file's name. Throws with 73, and every older checkpoint is still there.
  func save(_ content: CheckpointContent, _ state: RunState, warn: (String) -> Void) throws(TrainingError) -> String {
    do throws(FileWriteError) {
      let saved = try store.save(content.checkpoint(state))
      for failure in saved.notRemoved { warn(failure.description) }
      return saved.path
    } catch {
      throw TrainingError(.cannotWrite, error.description)
    }
  }
}

/// What a checkpoint holds, as it lies in the run's own buffers.
struct CheckpointContent {
  let layout: ParameterLayout
  let parameters: Buffer<Float>
  /// What the optimizer keeps of every parameter, by name.
  var moments: [(name: String, values: Buffer<Float>)]
  let recipe: Recipe

  /// What may differ between a run and the one that it goes on from: how long, and on which machine.
  static let free: Set<String> = ["epochs", "kernels", "program"]

  private var tensors: [NamedTensor] {
    var tensors: [NamedTensor] = []
    for (prefix, block) in [("", parameters)]
      + moments.map({ ("\(Checkpoint.optimizerPrefix)\($0.name).", $0.values) })
    {
      for (parameter, range) in zip(layout.parameters, layout.ranges) {
        tensors.append(NamedTensor(name: prefix + parameter.name, shape: parameter.shape, values: block[range]))
      }
    }
    return tensors
  }

  func checkpoint(_ state: RunState) -> Checkpoint {
    Checkpoint(
      tensors: tensors, state: state, recipe: recipe, weightsDigest: layout.digest(of: parameters).hex)
  }

  func read(_ file: borrowing CheckpointFile, warn: (String) -> Void) throws(CheckpointError) -> RunState {
    try file.requireRecipe(recipe, ignoring: Self.free)
    if let kernels = file.recipe["kernels"], kernels != recipe["kernels"] {
      warn("\(file.path) was written with kernels \(escaped(kernels)); here the bits may differ from there on")
    }
    try file.read(into: tensors)
    return file.state
  }
}

/// Reads a checkpoint; a file that is not there is 66, any other fault 65.
func reading<Result: ~Copyable>(_ body: () throws(CheckpointError) -> Result) throws(TrainingError) -> Result {
  do { return try body() } catch {
    throw TrainingError(error.fileIsMissing ? .missingInput : .badData, error.description)
  }
}
