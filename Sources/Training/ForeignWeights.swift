import Checkpoints
import NeuralNetworks
import Tensors

/// A file's weights of a network under the names and in the layouts of another framework.
struct ForeignWeights {
  /// The framework whose names they are.
  let framework: Framework
  /// The file's tensors of each parameter of ours, in the order of the framework, under the file's names.
  private let tensors: [String: [(name: String, tensor: FrameworkTensor)]]

  /// The weights of `network` in a file with `header`, by the framework with the most names in it; nil if none has any.
  init?(_ header: SafeTensorsHeader, of network: Network) {
    var best: (count: Int, framework: Framework, prefix: String, tensors: [FrameworkTensor])?
    for framework in Framework.allCases {
      // A network with a layer that the framework does not have is in no file of its.
      guard let tensors = try? network.tensors(in: framework) else { continue }
      for prefix in framework.prefixes {
        let count = tensors.count { header.tensor(named: prefix + $0.name) != nil }
        if count > best?.count ?? 0 { best = (count, framework, prefix, tensors) }
      }
    }
    guard let best else { return nil }
    framework = best.framework
    var named: [String: [(name: String, tensor: FrameworkTensor)]] = [:]
    for tensor in best.tensors {
      if let parameter = tensor.parameter { named[parameter, default: []].append((best.prefix + tensor.name, tensor)) }
    }
    tensors = named
  }

  /// The reason why the parameter called `parameter`, of shape `shape` here, cannot be taken from a file with `header`; nil if it can.
  func obstacle(_ parameter: String, _ shape: Shape, in header: SafeTensorsHeader) -> String? {
    for (name, tensor) in tensors[parameter] ?? [] {
      guard let there = header.tensor(named: name) else {
        if case .secondBias = tensor.content { continue }
        return "\(parameter), which as \(name) is not there"
      }
      guard there.shape == tensor.shape, there.elementType == .float32 else {
        return "\(parameter) of shape \(shape), as \(name) \(tensor.shape), which is \(there.elementType.rawValue) "
          + "\(there.shape) there"
      }
    }
    return nil
  }

  /// Reads the parameter called `parameter`, which has no ``obstacle(_:_:in:)``, into `values`.
  ///
  /// Throws ``TrainingError`` with 65 if the file is damaged, or if a second bias cannot be added to ours.
  func read(_ parameter: String, from file: borrowing SafeTensorsFile, into values: Buffer<Float>) throws {
    for (name, tensor) in tensors[parameter] ?? [] where file.header.tensor(named: name) != nil {
      let theirs = Buffer<Float>(count: tensor.shape.count)
      do { try file.read(name, shape: tensor.shape, into: theirs) } catch {
        throw TrainingError(CheckpointError.file(error))
      }
      switch tensor.content {
      case .parameter(_, let order): order.take(theirs, into: values)
      case .secondBias(_, let addable):
        guard theirs.array[addable...].allSatisfy({ $0 == 0 }) else {
          throw TrainingError(
            .badData,
            "\(file.path): \(name) is not zero from row \(addable) on, the gate whose second bias is multiplied, and the "
              + "layer here has none; train it with these rows at zero, or give another \(Setting.initialWeights)")
        }
        for index in 0..<addable { values[index] += theirs[index] }
      case .stepCount: break
      }
    }
  }
}
