import Checkpoints
import Collectives
import Datasets
import FoundationEssentials
import Kernels
import NeuralNetworks
import Tensors

/// A checkpoint's network with its weights, ready to be evaluated.
public struct RestoredNetwork {
  /// The network, planned for slices of ``Evaluation``.
  public let network: Network
  /// Its weights.
  public let parameters: Buffer<Float>
  /// The path of the checkpoint's file.
  public let path: String
  /// The place of its run.
  public let state: RunState

  /// Gives every rank the weights of the checkpoint at `path`, or of the newest whole one if `path` is a run directory.
  /// Collective.
  ///
  /// Only rank 0 reads, because a run may save another checkpoint while ranks look, and one rank's copy may differ.
  ///
  /// - Parameters:
  ///   - strict: whether every checkpoint of the run directory must be whole.
  ///   - program: the program's version, which must be the same on every rank.
  ///   - warn: called on rank 0 with a line for every damaged checkpoint that is passed over.
  /// - Throws: ``TrainingError``: 64 if ranks have other arguments or data, 66 if there is no checkpoint, 65 if it is
  ///   damaged or does not fit `data`.
  public init(
    _ path: String, for data: any Dataset, strict: Bool = false, program: String, communicator: any Communicator,
    warn: (String) -> Void
  ) throws {
    try communicator.agree { try prepareArithmetic() }
    try communicator.requireEqual([
      ("program", program), ("kernels", "\(KernelIdentity.current)"), ("test_data", data.digest.hex),
      ("strict", "\(strict)"), ("checkpoint", path),
    ])
    try communicator.requireEqualArithmetic()
    // The facts travel as text, the weights after them.
    let restored = try communicator.agree { () -> (facts: Facts, parameters: Buffer<Float>)? in
      guard communicator.rank == 0 else { return nil }
      return try Self.read(path, for: data, strict: strict, warn: warn)
    }
    let facts = try Facts(text: communicator.fromFirst(restored?.facts.text ?? ""))
    let network = try communicator.agree { try facts.network(for: data) }
    let parameters = restored?.parameters ?? Buffer<Float>(count: network.layout.count)
    try communicating { try communicator.broadcast(parameters, from: 0) }
    self.network = network
    self.parameters = parameters
    self.path = facts.path
    state = facts.state
  }

  /// The facts of a checkpoint that every rank needs before it can take its weights.
  private struct Facts: Codable {
    var path: String
    var model: String
    var task: String
    var classCount: Int
    var firstLabel: Int
    var state: RunState

    init(_ file: borrowing CheckpointFile) throws {
      guard let model = file.recipe["model"], let task = file.recipe["task"] else { throw Self.incomplete(file.path) }
      guard let classes = file.recipe.classes else {
        throw TrainingError(.badData, "\(file.path): the classes and first_label of its recipe cannot be")
      }
      (self.path, self.model, self.task, self.state) = (file.path, model, task, file.state)
      (classCount, firstLabel) = (classes.count, classes.firstLabel)
    }

    /// Reads ``text``.
    init(text: String) throws {
      do { self = try JSONDecoder().decode(Facts.self, from: Data(text.utf8)) } catch {
        throw TrainingError(.rankFailed, "rank 0 sent no readable facts of its checkpoint: \(error)")
      }
    }

    var text: String {
      get throws {
        do { return String(decoding: try JSONEncoder().encode(self), as: UTF8.self) } catch {
          throw TrainingError(.rankFailed, "\(path): its facts cannot be sent to the other ranks: \(error)")
        }
      }
    }

    func network(for data: any Dataset) throws -> Network {
      guard let task = Objective(task), let classes = Classes(checking: classCount, firstLabel: firstLabel) else {
        throw Self.incomplete(path)
      }
      let targets = try Self.targets(of: data, among: classes)
      do {
        let loss = try task.loss(targets)
        let model = try Model.named(model, input: data.inputShape, outputs: loss.outputs)
        return try Network(model, loss: loss, capacity: Evaluation.slice)
      } catch {
        throw TrainingError(.badData, "\(path): \(error)")
      }
    }

    /// The checkpoint's classes, or the data's real numbers. Throws with 65 if the data are faulty or have other
    /// classes.
    private static func targets(of data: any Dataset, among classes: Classes) throws -> Targets {
      do {
        try data.validate()
        if case .values(let count) = data.targets { return .values(count: count) }
        try data.check(classes)
        return .classes(classes)
      } catch {
        throw TrainingError(.badData, "\(error)")
      }
    }

    private static func incomplete(_ path: String) -> TrainingError {
      TrainingError(.badData, "\(path): does not say which model and task it is of")
    }
  }

  private static func read(
    _ path: String, for data: any Dataset, strict: Bool, warn: (String) -> Void
  ) throws -> (facts: Facts, parameters: Buffer<Float>) {
    let file = try open(path, strict: strict, warn: warn)
    let facts = try Facts(file)
    let layout = try facts.network(for: data).layout
    // Checked before memory is taken for them: a file of kilobytes may name a network of gigabytes.
    try file.requireTensors(layout.parameters.map { ($0.name, $0.shape) })
    let parameters = Buffer<Float>(count: layout.count)
    let tensors = zip(layout.parameters, layout.ranges).map {
      NamedTensor(name: $0.name, shape: $0.shape, values: parameters[$1])
    }
    try file.read(into: tensors, ignoringPrefix: Checkpoint.optimizerPrefix)
    return (facts, parameters)
  }

  private static func open(_ path: String, strict: Bool, warn: (String) -> Void) throws -> CheckpointFile {
    var isDirectory = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory else {
      return try CheckpointFile(path)
    }
    let store = CheckpointStore(directory: "\(path)/checkpoints")
    guard let newest = try store.newestWhole(strict: strict, onDamage: { warn($0.description) }) else {
      throw TrainingError(.missingInput, "\(path): no checkpoint there; give a run directory or a checkpoint file")
    }
    return newest
  }
}
