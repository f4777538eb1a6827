import Tensors

/// A network as named on the command line: its layers, for one input shape and number of outputs.
public struct Model: Sendable {
  /// The name as given, such as `article` or `mlp:784-100-10`.
  public let name: String
  /// One sample's shape.
  public let input: Shape
  /// The layers, in order.
  public let layers: [any LayerSpecification]

  /// A model of these layers.
  public init(name: String, input: Shape, layers: [any LayerSpecification]) {
    self.name = name
    self.input = input
    self.layers = layers
  }

  /// What `--model` takes: a new architecture is a line here and a file beside this one.
  private static let architectures: [(name: String, make: @Sendable (Shape, Int) -> [any LayerSpecification])] = [
    ("article", article), ("mlp", mlp), ("keras-convnet", kerasConvnet), ("pytorch-convnet", pytorchConvnet),
  ]

  /// The names that `--model` takes, for help and for errors.
  public static var names: [String] { architectures.map(\.name) + ["mlp:A-B-…-Z"] }

  /// The model called `name` for samples of shape `input` and `outputs` outputs. Throws where the name is unknown or does
  /// not fit the data.
  public static func named(_ name: String, input: Shape, outputs: Int) throws(ModelError) -> Model {
    if name.hasPrefix("mlp:") {
      return Model(name: name, input: input, layers: try mlp(named: name, input: input, outputs: outputs))
    }
    guard let architecture = architectures.first(where: { $0.name == name }) else {
      throw ModelError("unknown model '\(escaped(name))' for --model; there are: \(names.joined(separator: ", "))")
    }
    return Model(name: name, input: input, layers: architecture.make(input, outputs))
  }
}
