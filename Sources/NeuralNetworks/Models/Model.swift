import Tensors

/// A network as a value: its layers, for samples of one shape.
///
///     Model("mine", input: [28, 28, 1]) {
///       Conv2D(filters: 16, kernel: 3)
///       ReLU()
///       MaxPool2D(2)
///       Flatten()
///       Dense(10)
///     }
public struct Model: Sendable {
  /// The name, such as `article` or `mlp:784-100-10`.
  public let name: String
  /// One sample's shape.
  public let input: Shape
  /// The layers, in order.
  public let layers: [any LayerSpecification]
  /// Whether ``named(_:input:outputs:)`` made it, so that its name tells its layers.
  public let isNamed: Bool
  /// Whether a ``ModelDescription`` made it, so that its description tells its layers.
  public let isDescribed: Bool
  /// The task, if the model predicts the pixels of its own input and its name or its description says so.
  public let pixelTask: PixelTask?
  /// The names of its modules in PyTorch.
  let moduleNames: ModuleNames

  /// A model of these layers.
  public init(name: String, input: Shape, layers: [any LayerSpecification]) {
    self.init(name: name, input: input, layers: layers, isNamed: false, isDescribed: false)
  }

  /// A model of the layers in `layers`, one a line.
  public init(_ name: String, input: Shape, @LayerBuilder layers: () -> [any LayerSpecification]) {
    self.init(name: name, input: input, layers: layers())
  }

  init(
    name: String, input: Shape, layers: [any LayerSpecification], isNamed: Bool = false, isDescribed: Bool = false,
    pixelTask: PixelTask? = nil, moduleNames: ModuleNames = ModuleNames()
  ) {
    self.name = name
    self.input = input
    self.layers = layers
    self.isNamed = isNamed
    self.isDescribed = isDescribed
    self.pixelTask = pixelTask
    self.moduleNames = moduleNames
  }

  /// The layers in words: `Conv2D(filters: 16, kernel: 3, padding: valid), ReLU(), Dense(10)`, as Swift describes each.
  /// Of a model that ``isDescribed``, its description's ``ModelDescription/layersText``.
  public var layersText: String {
    if isDescribed, let description = try? ModelDescription(of: self) { return description.layersText }
    return layers.map { "\($0)" }.joined(separator: ", ")
  }

  /// The samples of a microbatch, at most, where a recipe names none: the least that a layer asks for.
  public var usualMicrobatch: Int { layers.usualMicrobatch }

  /// The architectures of `--model`: a new one is a line here and a file beside this one.
  private static let architectures: [(name: String, make: @Sendable (Shape, Int) -> [any LayerSpecification])] = [
    ("article", article), ("mlp", mlp), ("keras-convnet", kerasConvnet), ("pytorch-convnet", pytorchConvnet),
    ("vgg", vgg), ("rnn", rnn), ("lstm", lstm), ("gru", gru), ("vit", vit),
    ("resnet", resnet),
    ("gpt", gpt), ("wavenet", wavenet), ("bert", bert),
  ]

  /// What their modules are called in PyTorch, of those that are not one `nn.Sequential` of the same layers there.
  private static let moduleNames: [String: ModuleNames] = [
    "rnn": rowNames("rnn1"), "lstm": rowNames("lstm1"), "gru": rowNames("gru1"),
    "vit": visionTransformerNames(output: "dense1"),
    "resnet": resnetNames, "gpt": gptNames, "wavenet": wavenetNames,
    "bert": visionTransformerNames(output: "tokendense2", ["maskedpatches1.patch": "mask"]),
  ]

  /// The names that `--model` takes, for help and for errors.
  public static var names: [String] { architectures.map(\.name) + ["mlp:A-B-…-Z"] }

  /// The model called `name` for samples of shape `input` and `outputs` outputs. Throws ``ModelError`` if the name is
  /// unknown or does not fit the data.
  public static func named(_ name: String, input: Shape, outputs: Int) throws -> Model {
    if name.hasPrefix("mlp:") {
      return Model(
        name: name, input: input, layers: try mlp(named: name, input: input, outputs: outputs), isNamed: true)
    }
    guard let architecture = architectures.first(where: { $0.name == name }) else {
      throw ModelError(
        "unknown \(Setting.model) '\(escaped(name))'; there are: \(names.joined(separator: ", "))")
    }
    return Model(
      name: name, input: input, layers: architecture.make(input, outputs), isNamed: true,
      pixelTask: PixelTask(modelNamed: name), moduleNames: moduleNames[name] ?? ModuleNames())
  }
}
