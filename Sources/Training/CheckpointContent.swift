import Checkpoints
import Datasets
import NeuralNetworks
import Tensors

/// What a checkpoint holds, as it lies in the run's own buffers.
struct CheckpointContent {
  let layout: ParameterLayout
  let parameters: Buffer<Float>
  /// What the optimizer keeps of every parameter, by name.
  var moments: [(name: String, values: Buffer<Float>)]
  let fingerprint: Fingerprint
  let batches: BatchPlan

  /// What may differ between a run and the one that it goes on from: how long, and on which machine.
  static let free: Set<String> = ["epochs", "kernels", "program"]

  private var tensors: [NamedTensor] {
    var tensors: [NamedTensor] = []
    for (prefix, block) in [("", parameters)]
      + moments.map({ ("\(Checkpoint.optimizerPrefix)\($0.name).", $0.values) })
    {
      for (parameter, range) in zip(layout.parameters, layout.ranges) {
        tensors.append(NamedTensor(name: prefix + parameter.name, shape: parameter.shape, values: block[range]))
      }
    }
    return tensors
  }

  func checkpoint(_ state: RunState) -> Checkpoint {
    Checkpoint(
      tensors: tensors, state: state, recipe: fingerprint, weightsDigest: layout.digest(of: parameters).hex)
  }

  func read(_ file: borrowing CheckpointFile, warn: (String) -> Void) throws -> RunState {
    try file.requireRecipe(fingerprint, ignoring: Self.free)
    try requireState(of: file, in: batches)
    if let kernels = file.recipe["kernels"], kernels != fingerprint["kernels"] {
      warn("\(file.path) was written with kernels \(escaped(kernels)); here the bits may differ from there on")
    }
    try file.read(into: tensors)
    return file.state
  }
}
