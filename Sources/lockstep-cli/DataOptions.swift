import ArgumentParser
import FoundationEssentials
import Lockstep

/// The option that names the data, the same in every command.
struct DataOptions: ParsableArguments {
  @Option(help: "The dataset: mnist, fashion-mnist (see launch/fetch), or a directory of IDX files.")
  var data = "mnist"

  /// One part of the dataset. Throws with 66 if a file is missing, with 65 if it is wrong.
  func load(_ part: ImageDataset.Part) throws -> ImageDataset {
    if ImageDataset.fetchedNames.contains(data) {
      // They name the directory. If the first is absolute, the second is not used.
      try Arguments.requireReadable("XDG_CACHE_HOME")
      if ProcessInfo.processInfo.environment["XDG_CACHE_HOME"]?.hasPrefix("/") != true {
        try Arguments.requireReadable("HOME")
      }
    }
    do {
      return try ImageDataset.load(directory: try ImageDataset.directory(named: data), part: part)
    } catch {
      throw TrainingError(error)
    }
  }
}
