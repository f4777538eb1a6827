import Checkpoints
import FoundationEssentials
import Tensors
import Training

/// The figures of an evaluation's groups as a file: `groups.json` in a run directory.
public struct GroupsFile: Sendable, Codable, Hashable {
  private static let mostBytes = 64 << 20

  /// The step after which the weights were evaluated.
  public var step: Int
  /// A report for each way of grouping the samples.
  public var groups: [GroupReport]

  /// The file of `groups`, of weights after `step`.
  public init(step: Int, groups: [GroupReport]) { (self.step, self.groups) = (step, groups) }

  /// The file's place in a run directory, where the run's page and its model card look for it.
  public static func path(in directory: String) -> String { "\(directory)/groups.json" }

  /// Writes the file to `path`, durably and atomically. Throws ``TrainingError`` with 73.
  public func write(to path: String) throws(TrainingError) {
    do {
      let json = try RunJSON.bytes(of: self, isPretty: true)
      try AtomicFile.removeLeftover(of: path)
      try AtomicFile.write(json + [UInt8(ascii: "\n")], to: path)
    } catch {
      throw TrainingError(.cannotWrite, "\(error)")
    }
  }

  /// Reads the file at `path`. Throws ``TrainingError``: 66 if it is missing, 65 if it is too large or not such a file.
  public init(readingFrom path: String) throws(TrainingError) {
    let bytes: [UInt8]
    do { bytes = try fileBytes(path, limit: Self.mostBytes) } catch { throw TrainingError(error) }
    do { self = try RunJSON.decoder.decode(Self.self, from: Data(bytes)) } catch {
      throw TrainingError(
        .badData, "\(path): holds no figures of groups; remove it, or write it anew (lockstep evaluate --write-groups)")
    }
  }
}
