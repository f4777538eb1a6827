import Checkpoints
import Datasets
import NeuralNetworks
import Tensors

/// The content of a run's checkpoints, in the run's own buffers.
package struct CheckpointContent {
  let layout: ParameterLayout
  let parameters: Buffer<Float>
  /// The optimizer's state of every parameter, by name.
  var moments: [(name: String, values: Buffer<Float>)]
  let fingerprint: Fingerprint
  let batches: BatchPlan
  /// Numbers that are state of the run and not of a parameter, by name.
  let numbers: [(name: String, values: Buffer<Float>)]

  package init(
    layout: ParameterLayout, parameters: Buffer<Float>, moments: [(name: String, values: Buffer<Float>)],
    fingerprint: Fingerprint, batches: BatchPlan, numbers: [(name: String, values: Buffer<Float>)] = []
  ) {
    (self.layout, self.parameters, self.moments) = (layout, parameters, moments)
    (self.fingerprint, self.batches, self.numbers) = (fingerprint, batches, numbers)
  }

  /// The lines of the recipe that may differ from a checkpoint's: how long the run is, and on which machine.
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
    for (name, values) in numbers {
      tensors.append(
        NamedTensor(name: "\(Checkpoint.optimizerPrefix)\(name)", shape: [values.count], values: values))
    }
    return tensors
  }

  /// A checkpoint of the buffers' present content.
  func checkpoint(_ state: RunState) -> Checkpoint {
    Checkpoint(
      tensors: tensors, state: state, recipe: fingerprint, weightsDigest: layout.digest(of: parameters).hex)
  }

  /// Reads `file` into the buffers and returns its state. Throws ``CheckpointError`` if it is of another run or
  /// impossible.
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
