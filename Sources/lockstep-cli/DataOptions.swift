import ArgumentParser
import FoundationEssentials
import Lockstep

/// Where the data are; the same in every command.
struct DataOptions: ParsableArguments {
  @Option(help: "The dataset: mnist, fashion-mnist (see launch/fetch), or a directory of IDX files.")
  var data = "mnist"

  /// One part of the dataset. A missing file is 66, a wrong one 65.
  func load(_ part: ImageDataset.Part) throws(TrainingError) -> ImageDataset {
    if ImageDataset.fetchedNames.contains(data) {
      // Where they are. With the first, the second is of no account.
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
