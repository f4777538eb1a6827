import Checkpoints
import Digests
import NeuralNetworks
import Privacy
import Tensors

/// The weights that a run took over from a file: `--init-from`.
public struct InitialWeights: Sendable {
  /// The file's path.
  public let path: String
  /// The names of the parameters that were taken.
  public let taken: [String]
  /// The names of the others, each with the reason: `dense2.bias, which is not there`.
  public let left: [String]
  /// The framework by whose names and layouts they were found; nil if by ours.
  public let framework: Framework?
  /// The SHA-256 of the names and values that were taken, ours.
  let digest: SHA256Digest
  /// The steps of private training that they have cost; nil if the file does not tell of any.
  let spent: PrivacyLedger?

  /// Reads the parameters of `network` that the file at `path` has, with their names and shapes, into `parameters`. The others stay.
  ///
  /// The file is a checkpoint, or any safetensors file with numbers of 32 bits, with our names or those of a ``Framework``. From a
  /// checkpoint with averages of the weights (``Recipe/ema``) these are taken, as in an evaluation.
  ///
  /// Throws ``TrainingError``: with 66 if there is no file, with 65 if it is damaged or has no parameter that fits.
  public init(path: String, of network: Network, into parameters: Buffer<Float>) throws {
    self.path = path
    let file = try Self.open(path)
    let header = file.header
    spent = try PrivacyLedger(checkpoint: header)
    let layout = network.layout
    let prefix = Checkpoint.weightsPrefix(header)
    let isOurs = layout.parameters.contains { header.tensor(named: prefix + $0.name) != nil }
    let foreign = isOurs ? nil : ForeignWeights(header, of: network)

    var (taken, left): ([String], [String]) = ([], [])
    var hasher = SHA256Hasher()
    for (parameter, range) in zip(layout.parameters, layout.ranges) {
      let obstacle =
        foreign.map { $0.obstacle(parameter.name, parameter.shape, in: header) }
        ?? Self.obstacle(parameter, header.tensor(named: prefix + parameter.name))
      if let obstacle {
        left.append(obstacle)
        continue
      }
      if let foreign {
        try foreign.read(parameter.name, from: file, into: parameters[range])
      } else {
        try Self.read(prefix + parameter.name, parameter.shape, from: file, into: parameters[range])
      }
      taken.append(parameter.name)
      hasher.update(Array("\(parameter.name) \(parameter.shape)\n".utf8))
      parameters[range].withBytes { hasher.update($0) }
    }
    (self.taken, self.left, framework, digest) = (taken, left, foreign?.framework, hasher.finalize())
    guard !taken.isEmpty else {
      let names = layout.parameters.map(\.name).joined(separator: ", ")
      let others = foreign.map { "; by \($0.framework.possessive) names it has not \(left.joined(separator: "; "))" }
      throw TrainingError(
        .badData,
        "\(path): has no parameter of the model, \(names), with its shape\(others ?? ""); give another "
          + "\(Setting.initialWeights)")
    }
  }

  private static func open(_ path: String) throws -> SafeTensorsFile {
    do { return try SafeTensorsFile(path, checksums: .optional) } catch {
      throw TrainingError(CheckpointError.file(error))
    }
  }

  private static func read(
    _ name: String, _ shape: Shape, from file: borrowing SafeTensorsFile, into values: Buffer<Float>
  ) throws {
    do { try file.read(name, shape: shape, into: values) } catch { throw TrainingError(CheckpointError.file(error)) }
  }

  /// The reason why `parameter` cannot be taken from what the file has of its name; nil if it can.
  private static func obstacle(_ parameter: ParameterSpecification, _ there: TensorEntry?) -> String? {
    guard let there else { return "\(parameter.name), which is not there" }
    guard there.shape == parameter.shape, there.elementType == .float32 else {
      return
        "\(parameter.name) of shape \(parameter.shape), which is \(there.elementType.rawValue) \(there.shape) there"
    }
    return nil
  }

  /// One line: how many parameters were taken, by whose names, and which were not.
  public var text: String {
    let all = taken.count + left.count
    return "initialised from \(singleLine(path)): \(taken.count) of \(all) parameters"
      + (framework.map { ", by \($0.possessive) names" } ?? "")
      + (left.isEmpty ? "" : "; not \(left.joined(separator: "; "))")
  }
}
