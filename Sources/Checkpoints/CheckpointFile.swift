import Tensors

/// An open checkpoint whose every byte has been checked. Its tensors are read into buffers of the caller's.
public struct CheckpointFile: ~Copyable {
  /// The file, its tensors and its metadata.
  public let file: SafeTensorsFile
  /// Where the run stood.
  public let state: RunState
  /// The recipe that the run followed.
  public let recipe: Fingerprint
  /// The digest of the parameters' bytes, as the run reported it.
  public let weightsDigest: String

  /// The file's name, as it was given.
  public var path: String { file.path }

  /// Opens the checkpoint at `path` and checks every byte of it.
  public init(_ path: String) throws(CheckpointError) {
    let file = try Self.opened(path)
    let header = file.header
    let version = header.metadataValue(Checkpoint.MetadataKey.version)
    guard version == Checkpoint.version else {
      throw .notACheckpoint(
        path: path, key: Checkpoint.MetadataKey.version, expected: Checkpoint.version, found: version)
    }
    var state = RunState(
      epoch: try Self.number(Checkpoint.MetadataKey.epoch, header, path),
      sampleOffset: try Self.number(Checkpoint.MetadataKey.sampleOffset, header, path),
      step: try Self.number(Checkpoint.MetadataKey.step, header, path),
      seed: try Self.number(Checkpoint.MetadataKey.seed, header, path))
    state.sums = try Self.sums(header, path, upTo: state.sampleOffset)
    state.best = try Self.best(header, path)
    guard let digest = header.metadataValue(Checkpoint.MetadataKey.weightsDigest) else {
      throw .notACheckpoint(
        path: path, key: Checkpoint.MetadataKey.weightsDigest, expected: "a digest", found: nil)
    }
    let prefix = Checkpoint.recipePrefix.utf8
    recipe = Fingerprint(
      uniqueEntries: header.metadata.filter { $0.key.utf8.starts(with: prefix) }.map {
        Fingerprint.Entry(key: String(Substring($0.key.utf8.dropFirst(prefix.count))), value: $0.value)
      })
    self.file = file
    self.state = state
    weightsDigest = digest
  }

  private static func opened(_ path: String) throws(CheckpointError) -> SafeTensorsFile {
    do { return try SafeTensorsFile(path) } catch { throw .file(error) }
  }

  /// Throws ``CheckpointError/recipeDiffers(path:differences:)`` if the checkpoint is of a run with another recipe.
  ///
  /// - Parameter ignored: the keys that may differ, such as the number of epochs.
  public func requireRecipe(_ current: Fingerprint, ignoring ignored: Set<String> = []) throws(CheckpointError) {
    let differences = current.differences(from: recipe, ignoring: ignored)
    if !differences.isEmpty { throw .recipeDiffers(path: path, differences: differences) }
  }

  /// Checks that the file has tensors of these names and shapes.
  public func requireTensors(_ tensors: [(name: String, shape: Shape)]) throws(CheckpointError) {
    do {
      for tensor in tensors { try file.requireTensor(tensor.name, shape: tensor.shape) }
    } catch {
      throw .file(error)
    }
  }

  /// Reads the file's tensors into the buffers of `tensors`, which must name all of them, with their shapes.
  ///
  /// Names and shapes are checked before the first buffer is written to.
  ///
  /// - Parameter ignoredPrefix: the beginning of the names that `tensors` may leave out: ``Checkpoint/optimizerPrefix``
  ///   to read the weights alone.
  public func read(
    into tensors: [NamedTensor], ignoringPrefix ignoredPrefix: String? = nil
  ) throws(CheckpointError) {
    let wanted = Set(tensors.map { ExactText($0.name) })
    try requireTensors(tensors.map { ($0.name, $0.shape) })
    for entry in file.header.tensors where !wanted.contains(ExactText(entry.name)) {
      if let ignoredPrefix, entry.name.utf8.starts(with: ignoredPrefix.utf8) { continue }
      throw .unexpectedTensor(path: path, tensor: entry.name, shape: entry.shape)
    }
    do {
      for tensor in tensors { try file.read(tensor.name, shape: tensor.shape, into: tensor.values) }
    } catch {
      throw .file(error)
    }
  }

  /// The sums over the epoch in progress; zero if the file has none, as between epochs and in files of older versions.
  private static func sums(
    _ header: SafeTensorsHeader, _ path: String, upTo sampleOffset: Int
  ) throws(CheckpointError) -> EpochSums {
    guard let text = header.metadataValue(Checkpoint.MetadataKey.epochLoss) else { return EpochSums() }
    guard let loss = Double(text), loss.isFinite else {
      throw .notACheckpoint(
        path: path, key: Checkpoint.MetadataKey.epochLoss, expected: "a finite number", found: text)
    }
    let sums = EpochSums(
      loss: loss, correct: try number(Checkpoint.MetadataKey.epochCorrect, header, path),
      samples: try number(Checkpoint.MetadataKey.epochSamples, header, path),
      skippedSteps: try number(Checkpoint.MetadataKey.epochSkippedSteps, header, path))
    for (key, value, most) in [
      (Checkpoint.MetadataKey.epochSamples, sums.samples, sampleOffset),
      (Checkpoint.MetadataKey.epochCorrect, sums.correct, sums.samples),
      (Checkpoint.MetadataKey.epochSkippedSteps, sums.skippedSteps, sampleOffset),
    ] where value > most {
      throw .notACheckpoint(path: path, key: key, expected: "\(most) or less", found: String(value))
    }
    return sums
  }

  /// The best epoch so far; nil if the file has none.
  private static func best(_ header: SafeTensorsHeader, _ path: String) throws(CheckpointError) -> BestEpoch? {
    guard let text = header.metadataValue(Checkpoint.MetadataKey.bestLoss) else { return nil }
    guard let loss = Double(text), loss.isFinite else {
      throw .notACheckpoint(path: path, key: Checkpoint.MetadataKey.bestLoss, expected: "a finite number", found: text)
    }
    return BestEpoch(
      loss: loss, epoch: try number(Checkpoint.MetadataKey.bestEpoch, header, path),
      step: try number(Checkpoint.MetadataKey.bestStep, header, path))
  }

  private static func number<Number: FixedWidthInteger>(
    _ key: String, _ header: SafeTensorsHeader, _ path: String
  ) throws(CheckpointError) -> Number {
    let text = header.metadataValue(key)
    guard let text, let number = Number(text), number >= 0 else {
      throw .notACheckpoint(path: path, key: key, expected: "a non-negative integer", found: text)
    }
    return number
  }
}
