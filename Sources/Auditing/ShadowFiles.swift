import Checkpoints
import FoundationEssentials
import Tensors
import Training

/// The results of a membership audit's models in a directory, a file each: `audit/model-00.json`. Only rank 0 has it.
struct ShadowFiles {
  private let directory: RunDirectory

  /// What a file holds.
  private struct Content: Codable {
    /// The lines of the ``Fingerprint`` that the result follows from: key and value.
    var recipe: [[String]]
    var result: ShadowResult
  }

  /// Takes the directory at `path`, which is made if it is missing. Throws if another process holds it.
  init(_ path: String) throws {
    do { directory = try RunDirectory("\(path)/audit") } catch { throw TrainingError(error) }
  }

  private func path(_ model: Int) -> String { directory.file("model-\(model < 10 ? "0" : "")\(model).json") }

  /// The result that is kept of a model; nil if none is. Throws ``TrainingError``: 64 if it is of another audit, 65 if it is damaged.
  func read(model: Int, _ recipe: Fingerprint, samples: Int) throws -> ShadowResult? {
    let path = path(model)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let content: Content
    do {
      // A sample takes no more than 64 bytes, the recipe of a described model perhaps a megabyte.
      content = try RunJSON.decoder.decode(Content.self, from: Data(fileBytes(path, limit: 64 * samples + 16 << 20)))
    } catch let error as FileReadError {
      throw TrainingError(error)
    } catch {
      throw TrainingError(.badData, "\(path): is no file of an audit, or damaged; remove it to train that model again")
    }
    var saved = Fingerprint()
    for line in content.recipe where line.count == 2 { saved[line[0]] = line[1] }
    if let difference = recipe.differences(from: saved).first {
      throw TrainingError(
        .usage, "\(path): is of another audit (\(difference)); give \(Setting.directory) another directory")
    }
    guard content.result.confidences.count == samples else {
      throw TrainingError(
        .badData,
        "\(path): has \(content.result.confidences.count) samples of \(samples); remove it to train that model again")
    }
    return content.result
  }

  /// Keeps a model's result, durably.
  func write(_ result: ShadowResult?, model: Int, _ recipe: Fingerprint) throws {
    guard let result else { return }
    try directory.requireLock()
    let content = Content(recipe: recipe.entries.map { [$0.key, $0.value] }, result: result)
    try AtomicFile.write(RunJSON.bytes(of: content, isPretty: false), to: path(model))
  }
}
