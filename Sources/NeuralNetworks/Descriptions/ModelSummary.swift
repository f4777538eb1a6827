import Tensors

/// The layers of a model with what they give, learn and cost. Nothing is made for it, so the model may be of any size.
public struct ModelSummary: Sendable {
  /// A layer, as the model has it.
  public struct Row: Sendable {
    /// The number of layers that it is within.
    public let depth: Int
    /// The stem of its parameters' names, such as `convolution1`, or `relu` of a layer that learns nothing.
    public let name: String
    /// Its type, such as `Conv2D`, with the list's name before it if its layer has several lists: `shortcut: Conv2D`.
    public let type: String
    /// The shape of one sample's output.
    public let output: Shape
    /// The number of learnt values.
    public let parameters: Int
    /// The floating-point operations of training on one sample
    /// (``LayerSpecification/trainingOperations(for:needsInputGradient:)``). Those of layers that one kernel does are
    /// with the first of them.
    public let trainingOperations: Int
    /// The values of one sample's output that are kept in memory from `forward` to `backward`: 0 of a layer that only renames a shape, of
    /// one that an earlier layer's kernel does, and of a ``Block``, whose output is that of its last layer. Training keeps about as many of
    /// the gradient. What a layer keeps within itself, such as gates or attention's weights, is not counted.
    public let activations: Int
    /// Whether a stage of the planned network begins with it (``Network/stages``), or of the layer that it is within.
    public let isStage: Bool
  }

  /// The layers in order, those within another behind it.
  public private(set) var rows: [Row] = []
  /// The number of learnt values.
  public let parameters: Int
  /// The floating-point operations of training on one sample.
  public let trainingOperations: Int
  /// The values of one sample's outputs in memory (``Row/activations``).
  public var activations: Int { rows.reduce(0) { $0 + $1.activations } }

  /// The summary of `model`. Throws ``ModelError`` if a layer cannot take the output of the one before it.
  public init(_ model: Model) throws {
    let whole = Block(model.layers)
    parameters = Int(whole.learntCount(for: model.input))
    trainingOperations = whole.trainingOperations(for: model.input, needsInputGradient: false)
    try add(model.layers, list: nil, input: model.input, needsInputGradient: false, depth: 0)
  }

  private mutating func add(
    _ layers: [any LayerSpecification], list: String?, input: Shape, needsInputGradient: Bool, depth: Int
  ) throws {
    var (shape, needsInputGradient) = (input, needsInputGradient)
    var kinds: [String: Int] = [:]
    // The layers from here on whose operations are with an earlier one.
    var fused = 0
    for (index, layer) in layers.enumerated() {
      let (input, output) = (shape, try layer.outputShape(for: shape))
      var (operations, activations) = (0, 0)
      let isStage = fused == 0 && !(layer is any RenamingSpecification)
      if fused == 0 {
        let fusion =
          layer.fused(
            with: layers[(index + 1)...], input: input, needsInputGradient: needsInputGradient || index > 0)
          ?? Fusion(layer, replacing: 1)
        operations = fusion.layer.trainingOperations(for: input, needsInputGradient: needsInputGradient)
        if isStage && !(layer is Block) { activations = try fusion.layer.outputShape(for: input).count }
        fused = fusion.count
      }
      fused -= 1
      let learnt = layer.learntCount(for: input)
      if learnt > 0 { kinds[layer.kind, default: 0] += 1 }
      let properties = (layer as? any DescribedLayer)?.properties ?? []
      let type = (layer as? any DescribedLayer).map { Swift.type(of: $0).typeName } ?? "\(Swift.type(of: layer))"
      rows.append(
        Row(
          depth: depth, name: layer.kind + (learnt > 0 ? "\(kinds[layer.kind, default: 1])" : ""),
          type: (list.map { "\($0): " } ?? "") + type, output: output, parameters: Int(learnt),
          trainingOperations: operations, activations: activations, isStage: isStage))
      for property in properties {
        guard case .layers(let inner) = property.value else { continue }
        try add(
          inner, list: properties.count > 1 ? property.name : nil, input: input,
          needsInputGradient: needsInputGradient, depth: depth + 1)
      }
      needsInputGradient = needsInputGradient || learnt > 0
      shape = output
    }
  }
}
