import Tensors

/// A layer as another framework has it: the tensors of the module of the same kind.
public struct FrameworkModule: Sendable {
  /// The input of a layer, in another framework.
  public struct Input: Sendable {
    /// The shape here, of one sample.
    public let shape: Shape
    /// The order in which the framework has the elements of the last axis: another one than ours behind an image that was flattened with
    /// its channels first.
    public let features: ElementOrder

    /// An input whose features are in our order.
    public init(_ shape: Shape) { self.init(shape, features: Self.plain(shape)) }

    init(_ shape: Shape, features: ElementOrder) {
      self.shape = shape
      self.features = features
    }

    /// The order of all elements, as a layer sees them that takes its input as one list.
    func elements(in framework: Framework) -> ElementOrder {
      switch (shape.rank, framework) {
      case (1, _): features
      case (2, _): features.rows(shape[0])
      case (3, .pytorch): ElementOrder(channelsFirst: shape)
      default: ElementOrder(count: shape.count)
      }
    }

    static func plain(_ shape: Shape) -> ElementOrder {
      ElementOrder(count: shape.rank == 0 ? 1 : shape[shape.rank - 1])
    }
  }

  /// The tensors.
  public var tensors: [FrameworkTensor]
  /// The order in which the framework has the elements of the output's last axis; nil if it is ours.
  public var features: ElementOrder?
  /// The stem of the names that Keras gives to layers of this kind, such as `conv2d`.
  public var stem: String

  /// A module of these tensors.
  public init(_ tensors: [FrameworkTensor] = [], features: ElementOrder? = nil, stem: String = "") {
    self.tensors = tensors
    self.features = features
    self.stem = stem
  }

  /// The modules of `layers`, one after the other, as one module: PyTorch's `nn.Sequential`, which calls them by their numbers, or Keras'
  /// `Sequential`, which numbers the layers of each kind.
  ///
  /// Throws ``ModelError`` if a layer has no module in `framework`, or cannot take the output of the one before it.
  static func sequence(
    of layers: [any LayerSpecification], in framework: Framework, input: Input
  ) throws -> FrameworkModule {
    var whole = FrameworkModule()
    var (kinds, stems): ([String: Int], [String: Int]) = ([:], [:])
    var input = input
    for (index, layer) in layers.enumerated() {
      let module = try layer.module(in: framework, input: input)
      let output = try layer.outputShape(for: input.shape)
      input = Input(output, features: module.features ?? Input.plain(output))
      guard !module.tensors.isEmpty else { continue }
      kinds[layer.kind, default: 0] += 1
      stems[module.stem, default: 0] += 1
      let (kind, stem) = (kinds[layer.kind, default: 1], stems[module.stem, default: 1])
      let name =
        switch framework {
        case .pytorch: "\(index)"
        case .keras: stem == 1 ? module.stem : "\(module.stem)_\(stem - 1)"
        }
      whole.tensors += module.tensors.map { $0.within(layer: "\(layer.kind)\(kind)", module: name) }
    }
    whole.features = input.features
    return whole
  }
}

extension LayerSpecification {
  /// The layer without tensors, which keeps the order of its input if it keeps its shape. Throws ``ModelError`` of a layer that learns.
  public func module(in framework: Framework, input: FrameworkModule.Input) throws -> FrameworkModule {
    guard learntCount(for: input.shape) == 0 else { throw withoutModule(in: framework) }
    return FrameworkModule(features: try outputShape(for: input.shape) == input.shape ? input.features : nil)
  }

  /// The error of a layer that `framework` has no module for.
  func withoutModule(in framework: Framework) -> ModelError {
    ModelError("a layer of kind \(kind) has no names and layouts of \(framework.possessive)")
  }
}
