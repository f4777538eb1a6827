import NeuralNetworks
import Tensors

/// A layer of a model with the name that an explanation calls it by, such as `convolution2` or `block1.relu1`.
struct NamedLayer {
  let name: String
  let specification: any LayerSpecification
  /// The shapes of one sample.
  let input: Shape
  let output: Shape

  /// The layers in the order of their work, those of blocks in the place of the block, for samples of shape `input`.
  ///
  /// Names are those of the layers' parameters; where there are none, layers of a kind are counted likewise.
  static func all(of layers: [any LayerSpecification], input: Shape, within path: String = "") throws -> [NamedLayer] {
    var (result, shape, kinds): ([NamedLayer], Shape, [String: Int]) = ([], input, [:])
    for layer in layers {
      kinds[layer.kind, default: 0] += 1
      let name = "\(path)\(layer.kind)\(kinds[layer.kind, default: 1])"
      let output = try layer.outputShape(for: shape)
      if let block = layer as? Block {
        result += try all(of: block.layers, input: shape, within: "\(name).")
      } else {
        result.append(NamedLayer(name: name, specification: layer, input: shape, output: output))
      }
      shape = output
    }
    return result
  }

  /// Whether it only renames a shape.
  var isRenaming: Bool { specification is any RenamingSpecification }

  /// Whether it is a convolution, or a way around some.
  var holdsConvolution: Bool { Self.holdsConvolution(specification) }

  private static func holdsConvolution(_ layer: any LayerSpecification) -> Bool {
    switch layer {
    case is Conv2D: true
    case let residual as Residual:
      (residual.body.layers + (residual.shortcut?.layers ?? [])).contains(where: holdsConvolution)
    case let block as Block: block.layers.contains(where: holdsConvolution)
    default: false
    }
  }
}

extension ExplainedNetwork {
  /// The model's layers, those of blocks among them.
  func layers() throws -> [NamedLayer] { try NamedLayer.all(of: model.layers, input: model.input) }
}
