import ArgumentParser
import Lockstep

/// Where a run's files go, and where it goes on from.
struct RunFileOptions: ParsableArguments {
  @Option(help: "Where the run's files go. (default: runs/<time>-<model>)")
  var runDir: String?

  @Option(help: "How many checkpoints stay.")
  var keep = 3

  @Option(
    help: "auto goes on from the run directory's newest whole checkpoint, never starts anew, a file starts there.")
  var resume = RunOptions.Resume.auto

  @OptionGroup var safety: CheckpointOptions

  /// The options, still without the directory that the program names if none is given.
  var options: RunOptions {
    var options = RunOptions()
    options.directory = runDir
    options.makesNewDirectory = runDir == nil
    options.keep = keep
    options.resume = resume
    options.strict = safety.strictness.strict
    options.onCheckpointFailure = safety.onCheckpointFailure
    return options
  }

  /// The directory of a run of `model`, which the program names if none is given. Collective.
  func directory(of model: Model, on world: any Communicator) throws -> String {
    try runDir ?? newRunDirectory(of: model, on: world)
  }
}
