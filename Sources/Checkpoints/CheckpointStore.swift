/// The newest few checkpoints of one run: `step-00009375.safetensors` and so on, in one directory.
///
/// Only the holder of the run's lock (``RunDirectory``) may save.
public struct CheckpointStore: Hashable, Sendable {
  /// A checkpoint in the directory, whole or damaged.
  public struct Listing: Hashable, Sendable {
    /// The step after which it was saved.
    public let step: Int
    /// Its file.
    public let path: String
  }

  /// A checkpoint that is durably on disk.
  public struct Saved: Sendable {
    /// Its file.
    public let path: String
    /// The failures to remove older checkpoints: worth a warning, because the disk will fill.
    public let notRemoved: [FileWriteError]
  }

  /// The directory.
  public let directory: String
  /// The number of checkpoints that stay, at least 1.
  public let keep: Int

  /// The checkpoints in `directory`, which need not exist yet.
  public init(directory: String, keep: Int = 3) {
    precondition(keep >= 1, "\(keep) checkpoints kept: a run needs at least one")
    self.directory = directory
    self.keep = keep
  }

  /// The file of the checkpoint saved after `step`.
  public func path(step: Int) -> String {
    let digits = String(step)
    let zeros = String(repeating: "0", count: max(0, Self.digitCount - digits.count))
    return "\(directory)/\(Self.prefix)\(zeros)\(digits)\(Self.suffix)"
  }

  /// Creates the directory and removes the temporary files of interrupted saves.
  ///
  /// Called once at the start, under the run's lock: a save in progress would lose its file.
  public func prepare() throws(FileWriteError) {
    try createDirectories(directory)
    for name in try writing(directory, try namesInDirectory(directory)) {
      guard name.hasPrefix("."), name.hasSuffix(".tmp"), Self.step(ofName: String(name.dropFirst().dropLast(4))) != nil
      else { continue }
      let path = "\(directory)/\(name)"
      try writing(path, try removeFile(path))
    }
  }

  /// The checkpoints by their file names, newest first; none if the directory does not exist.
  public func list() throws(CheckpointError) -> [Listing] {
    do {
      let listings = try namesInDirectory(directory).compactMap { name in
        Self.step(ofName: name).map { Listing(step: $0, path: "\(directory)/\(name)") }
      }
      return listings.sorted { $0.step > $1.step }
    } catch {
      throw .directoryUnreadable(path: directory, code: error.code)
    }
  }

  /// Saves a checkpoint under its step. Once it is durable, removes old ones, so that ``keep`` stay, the new one included.
  ///
  /// Checkpoints of later steps are neither counted nor removed: they are damaged ones that the run fell back from, or
  /// of another run, and must not displace the new one. A checkpoint of the same step is replaced. That of the run's
  /// best epoch (``RunState/best``) stays beside the newest.
  ///
  /// If this throws, every older checkpoint is still there.
  @discardableResult
  public func save(_ checkpoint: Checkpoint) throws(FileWriteError) -> Saved {
    let step = checkpoint.state.step
    let path = path(step: step)
    try checkpoint.write(to: path)
    var notRemoved: [FileWriteError] = []
    do {
      let steps = try namesInDirectory(directory).compactMap(Self.step(ofName:)).filter { $0 <= step }
      let best = checkpoint.state.best?.step
      for old in steps.sorted(by: >).dropFirst(keep).filter({ $0 != best }).map(self.path(step:)) {
        do { try removeFile(old) } catch {
          notRemoved.append(FileWriteError(path: old, error))
        }
      }
    } catch {
      notRemoved.append(FileWriteError(path: directory, error))
    }
    return Saved(path: path, notRemoved: notRemoved)
  }

  /// The newest whole checkpoint, opened; nil if there is no checkpoint at all.
  ///
  /// - Parameters:
  ///   - strict: whether any damaged checkpoint is an error. If false, it is passed over for the next older one.
  ///   - onDamage: called for each checkpoint that is passed over, newest first.
  /// - Throws: ``CheckpointError/noneWhole(directory:count:newest:)`` if there are checkpoints, but none is whole.
  public func newestWhole(
    strict: Bool = false, onDamage: (CheckpointError) -> Void = { _ in }
  ) throws(CheckpointError) -> CheckpointFile? {
    let listings = try list()
    if strict {
      var first: CheckpointFile?
      for listing in listings.reversed() {
        do { first = try opened(listing) } catch {
          guard try isRemoved(listing, error) else { throw error }
          return try newestWhole(strict: strict, onDamage: onDamage)
        }
      }
      return first
    }
    var newest: CheckpointError?
    for listing in listings {
      do { return try opened(listing) } catch {
        if try isRemoved(listing, error) { return try newestWhole(strict: strict, onDamage: onDamage) }
        newest = newest ?? error
        onDamage(error)
      }
    }
    guard let newest else { return nil }
    throw .noneWhole(directory: directory, count: listings.count, newest: newest.description)
  }

  /// Whether `error` only says that a run in progress has removed the checkpoint since it was listed. Then there are
  /// newer ones.
  private func isRemoved(_ listing: Listing, _ error: CheckpointError) throws(CheckpointError) -> Bool {
    guard error.fileIsMissing else { return false }
    return try !list().contains(listing)
  }

  private func opened(_ listing: Listing) throws(CheckpointError) -> CheckpointFile {
    let file = try CheckpointFile(listing.path)
    // Names decide what is resumed and what is removed, so a renamed file would upset both.
    if file.state.step == listing.step { return file }
    throw .notACheckpoint(
      path: listing.path, key: Checkpoint.MetadataKey.step, expected: String(listing.step),
      found: String(file.state.step))
  }

  private static let prefix = "step-"
  private static let suffix = ".safetensors"
  private static let digitCount = 8

  /// The step in a checkpoint's file name; nil for any other name.
  private static func step(ofName name: String) -> Int? {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
    let digits = name.dropFirst(prefix.count).dropLast(suffix.count)
    guard digits.utf8.count >= digitCount, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    // More than eight digits only if eight are not enough, so that each step has one name.
    guard digits.utf8.count == digitCount || !digits.hasPrefix("0") else { return nil }
    return Int(digits)
  }
}
