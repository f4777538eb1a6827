import ArgumentParser
import Lockstep

/// Options for checkpoints that are damaged or cannot be written.
struct CheckpointOptions: ParsableArguments {
  @OptionGroup var strictness: StrictOption

  @Option(
    help: """
      What a checkpoint or record that cannot be written does: stop ends the run, continue warns and tries again when the \
      next is due.
      """)
  var onCheckpointFailure = RunOptions.SaveFailure.stop
}
