import ArgumentParser

/// The option for damaged checkpoints, the same in every command that reads checkpoints.
struct StrictOption: ParsableArguments {
  @Flag(help: "Refuse to start where a checkpoint is damaged, instead of falling back to the newest whole one.")
  var strict = false
}
