import Checkpoints
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
  /// The checkpoint's file, and where its run stood.
  public let path: String
  public let state: RunState

  /// Reads the checkpoint at `path`, or the newest whole one of the run directory there, for data like `data`.
  ///
  /// - Parameters:
  ///   - strict: whether every checkpoint of the run directory must be whole.
  ///   - warn: told of every damaged checkpoint passed over.
  /// - Throws: 66 where there is none, 65 where it is damaged or does not fit the data.
  public init(
    _ path: String, for data: ImageDataset, strict: Bool = false, warn: (String) -> Void
  ) throws(TrainingError) {
    useOneBLASThread()
    let file = try Self.open(path, strict: strict, warn: warn)
    guard let name = file.recipe["model"], let task = file.recipe["task"].flatMap(Task.init) else {
      throw TrainingError(.badData, "\(file.path): does not say which model and task it is of")
    }
    guard let classes = file.recipe.classes else {
      throw TrainingError(.badData, "\(file.path): the classes and first_label of its recipe cannot be")
    }
    do throws(IDXError) { try data.check(classes) } catch { throw TrainingError(.badData, error.description) }
    do throws(ModelError) {
      let loss = try task.loss(classes)
      let model = try Model.named(name, input: [data.rows, data.columns, 1], outputs: loss.outputs)
      network = try Network(model, loss: loss, capacity: Evaluation.slice)
    } catch {
      throw TrainingError(.badData, "\(file.path): \(error)")
    }
    let parameters = Buffer<Float>(count: network.layout.count)
    let tensors = zip(network.layout.parameters, network.layout.ranges).map {
      NamedTensor(name: $0.name, shape: $0.shape, values: parameters[$1])
    }
    try reading { () throws(CheckpointError) in
      try file.read(into: tensors, ignoringPrefix: Checkpoint.optimizerPrefix)
    }
    self.parameters = parameters
    self.path = file.path
    state = file.state
  }

  private static func open(
    _ path: String, strict: Bool, warn: (String) -> Void
  ) throws(TrainingError) -> CheckpointFile {
    var isDirectory = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory else {
      return try reading { () throws(CheckpointError) in try CheckpointFile(path) }
    }
    let store = CheckpointStore(directory: "\(path)/checkpoints")
    let newest = try reading { () throws(CheckpointError) in
      try store.newestWhole(strict: strict, onDamage: { warn($0.description) })
    }
    guard let newest else {
      throw TrainingError(.missingInput, "\(path): no checkpoint there; give a run directory or a checkpoint file")
    }
    return newest
  }
}
