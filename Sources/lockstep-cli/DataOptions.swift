import ArgumentParser
import FoundationEssentials
import Lockstep

/// The option that names the data, the same in every command.
struct DataOptions: ParsableArguments {
  @Option(help: "The dataset: mnist, fashion-mnist (see launch/fetch), a directory of IDX files, or a table FILE.csv.")
  var data = "mnist"

  /// Whether they are a table.
  var isTable: Bool { data.lowercased().hasSuffix(".csv") }

  /// One part of the dataset. Throws with 66 if a file is missing, with 65 if it is wrong.
  func load(_ part: ImageDataset.Part) throws -> ImageDataset {
    guard !isTable else {
      throw TrainingError(.usage, "\(Setting.data) \(escaped(data)) is a table; this needs images, such as mnist")
    }
    if ImageDataset.fetchedNames.contains(data) {
      // They name the directory. If the first is absolute, the second is not used.
      try Arguments.requireReadable("XDG_CACHE_HOME")
      if ProcessEnvironment.variables["XDG_CACHE_HOME"]?.hasPrefix("/") != true {
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
