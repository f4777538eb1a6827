import Checkpoints
import NeuralNetworks
import Tensors

/// The weights of a checkpoint, to be written for others.
public struct TrainedWeights {
  /// The network, planned for one sample.
  public let network: Network
  /// Its weights, or their averages if its run keeps some (``Recipe/ema``).
  public let parameters: Buffer<Float>
  /// The path of the checkpoint's file.
  public let path: String
  /// The place of its run.
  public let state: RunState
  /// Whether ``parameters`` are averages.
  public let isAveraged: Bool

  /// The weights `parameters` of `network`, as they are at `state`; `path` is where they come from.
  public init(
    network: Network, parameters: Buffer<Float>, path: String = "", state: RunState, isAveraged: Bool = false
  ) {
    self.network = network
    self.parameters = parameters
    self.path = path
    self.state = state
    self.isAveraged = isAveraged
  }

  /// The tensors as `framework` has them, of its names, shapes and layouts. Throws ``TrainingError`` with 64 if it has no module for a layer.
  public func tensors(in framework: Framework) throws -> [any StorableTensor] {
    do {
      return try network.tensors(in: framework).map { tensor in
        if let values = tensor.values(of: parameters, network.layout) {
          return NamedTensor(name: tensor.name, shape: tensor.shape, values: values)
        }
        return NamedIntegers(name: tensor.name, shape: tensor.shape, values: Buffer([Int64(state.step)]))
      }
    } catch {
      throw TrainingError(error)
    }
  }

  /// Writes ``tensors(in:)`` as the safetensors file at `path`, durably and atomically. Returns their number.
  ///
  /// Throws ``TrainingError``: with 64 if a layer has no module in `framework`, with 73 if the file cannot be written.
  public func write(for framework: Framework, safetensors path: String) throws -> Int {
    let tensors = try tensors(in: framework)
    // Readers of PyTorch's own look for the format.
    let format = framework == .pytorch ? "pt" : "keras"
    do {
      try SafeTensors.write(tensors, metadata: [("format", format), ("model", network.model.name)], to: path)
    } catch {
      throw TrainingError(error)
    }
    return tensors.count
  }
}
