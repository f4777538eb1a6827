import Checkpoints
import Digests
import NeuralNetworks
import Tensors

/// The weights that a run took over from a file: `--init-from`.
public struct InitialWeights: Sendable {
  /// The file's path.
  public let path: String
  /// The names of the parameters that were taken.
  public let taken: [String]
  /// The names of the others, each with the reason: `dense2.bias, which is not there`.
  public let left: [String]
  /// The SHA-256 of the names and values that were taken.
  let digest: SHA256Digest

  /// Reads the parameters that the file at `path` has, with their names and shapes, into `parameters`. The others stay.
  ///
  /// The file is a checkpoint, or any safetensors file with numbers of 32 bits. From a checkpoint with averages of the
  /// weights (``Recipe/ema``) these are taken, as in an evaluation.
  ///
  /// Throws ``TrainingError``: with 66 if there is no file, with 65 if it is damaged or has no parameter that fits.
  init(path: String, _ layout: ParameterLayout, into parameters: Buffer<Float>) throws {
    self.path = path
    do throws(SafeTensorsError) {
      let file = try SafeTensorsFile(path, checksums: .optional)
      (taken, left, digest) = try Self.read(file, layout, into: parameters)
    } catch {
      throw TrainingError(CheckpointError.file(error))
    }
    guard !taken.isEmpty else {
      throw TrainingError(
        .badData,
        "\(path): has no parameter of the model, \(layout.parameters.map(\.name).joined(separator: ", ")), with its shape; "
          + "give another \(Setting.initialWeights)")
    }
  }

  private static func read(
    _ file: borrowing SafeTensorsFile, _ layout: ParameterLayout, into parameters: Buffer<Float>
  ) throws(SafeTensorsError) -> (taken: [String], left: [String], digest: SHA256Digest) {
    var (taken, left): ([String], [String]) = ([], [])
    var hasher = SHA256Hasher()
    let header = file.header
    let prefix = Checkpoint.weightsPrefix(header)
    for (parameter, range) in zip(layout.parameters, layout.ranges) {
      guard let there = header.tensor(named: prefix + parameter.name) else {
        left.append("\(parameter.name), which is not there")
        continue
      }
      guard there.shape == parameter.shape, there.elementType == .float32 else {
        left.append(
          "\(parameter.name) of shape \(parameter.shape), which is \(there.elementType.rawValue) \(there.shape) there")
        continue
      }
      try file.read(there.name, shape: there.shape, into: parameters[range])
      taken.append(parameter.name)
      hasher.update(Array("\(parameter.name) \(parameter.shape)\n".utf8))
      parameters[range].withBytes { hasher.update($0) }
    }
    return (taken, left, hasher.finalize())
  }

  /// One line: how many parameters were taken, and which were not.
  public var text: String {
    let all = taken.count + left.count
    return "initialised from \(singleLine(path)): \(taken.count) of \(all) parameters"
      + (left.isEmpty ? "" : "; not \(left.joined(separator: "; "))")
  }
}
