import Checkpoints
import FoundationEssentials
import Tensors
import Training

/// A run as one who looks on finds it, by the files of its directory.
public struct RunWatch: Sendable {
  private let directory: String
  private let status: RunStatus
  private let epochs: [EpochFigures]
  private let isGone: Bool

  /// Reads the files of the run in `directory`.
  ///
  /// Throws ``TrainingError``: 66 if no run has written its status there, 65 if a file is not what a run writes.
  public init(directory: String) throws {
    self.directory = directory
    let path = "\(directory)/\(RunStatus.fileName)"
    guard FileManager.default.fileExists(atPath: path) else {
      throw TrainingError(.missingInput, "\(path): no such file; give the directory of a run (\(Setting.directory))")
    }
    let bytes: [UInt8]
    do { bytes = try fileBytes(path, limit: 16 << 20) } catch { throw TrainingError(error) }
    status = try RecordedRun.decode(RunStatus.self, from: bytes, path)
    guard status.isPossible else {
      throw TrainingError(.badData, "\(path): is not what a run writes: its numbers cannot be")
    }
    epochs = try RecordedRun.epochs(in: directory)
    // Elsewhere a process of this number is another.
    isGone = status.hosts[0] == ProcessFacts.hostName && !ProcessFacts.isAlive(status.process)
  }

  /// Whether nothing more will change.
  public var isOver: Bool { status.isFinished || isGone }

  /// The screen as it is now, at most `rows` lines of at most `columns` characters.
  public func lines(columns: Int, rows: Int) -> [String] {
    RunScreen(directory: directory, status, epochs, isGone: isGone)
      .lines(time: Date.now.timeIntervalSince1970, columns: columns, rows: rows)
  }
}

extension RunStatus {
  /// Whether its numbers can be, and go together.
  fileprivate var isPossible: Bool {
    let times = [time, samplesPerSecond, communication] + ranks.flatMap { [$0.compute, $0.waiting] }
    return !hosts.isEmpty && ranks.allSatisfy { hosts.indices.contains($0.host) } && samplesInEpoch > 0
      && (0...samplesInEpoch).contains(samplesDone) && times.allSatisfy { $0.map { (0..<1e15).contains($0) } ?? true }
  }
}
