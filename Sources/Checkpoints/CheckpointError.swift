import Tensors

/// A checkpoint that cannot be used: damaged, or of another run.
///
/// The program exits with 66 if ``fileIsMissing``, else with 65.
public enum CheckpointError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file is damaged, is no safetensors file, lacks a tensor, or has one of another shape.
  case file(SafeTensorsError)
  /// The file is a whole safetensors file, but no checkpoint that this version reads: `key` holds `found`, not
  /// `expected`.
  case notACheckpoint(path: String, key: String, expected: String, found: String?)
  /// The file has a tensor that the model does not have.
  case unexpectedTensor(path: String, tensor: String, shape: Shape)
  /// The checkpoint is of a run with another recipe.
  case recipeDiffers(path: String, differences: [Fingerprint.Difference])
  /// None of the directory's `count` checkpoints is whole; `newest` is the error of the newest.
  case noneWhole(directory: String, count: Int, newest: String)
  /// The directory of checkpoints cannot be listed.
  case directoryUnreadable(path: String, code: Int32)

  /// Whether the file does not exist.
  public var fileIsMissing: Bool {
    if case .file(let error) = self { error.fileIsMissing } else { false }
  }

  /// One line: the file, what is wrong and what to do.
  public var description: String { singleLine(text) }

  private var text: String {
    switch self {
    case .file(let error):
      error.description
    case .notACheckpoint(let path, let key, let expected, let found):
      "\(path): is not a checkpoint that this version reads: its \(key) is \(found.map { quoted($0) } ?? "missing") instead of "
        + "\(expected); give a checkpoint that this program wrote"
    case .unexpectedTensor(let path, let tensor, let shape):
      "\(path): has the tensor \(quoted(tensor)) of shape \(shape), which the model does not have; give the checkpoint "
        + "of the same model"
    case .recipeDiffers(let path, let differences):
      "\(path): is of another run: \(Self.list(differences)); give the same arguments, "
        + "or another \(Setting.directory)"
    case .noneWhole(let directory, let count, let newest):
      "\(directory): none of its \(count) checkpoints is whole; the newest: \(newest); restore one from a copy, or begin "
        + "anew with another \(Setting.directory)"
    case .directoryUnreadable(let path, let code):
      "\(path): cannot be listed: \(systemErrorText(code)); check its permissions and the disk"
    }
  }

  /// The first few of `differences`, and how many more there are.
  private static func list(_ differences: [Fingerprint.Difference]) -> String {
    let shown = differences.prefix(8).map(\.description).joined(separator: ", ")
    return differences.count > 8 ? "\(shown) and \(differences.count - 8) more" : shown
  }
}
