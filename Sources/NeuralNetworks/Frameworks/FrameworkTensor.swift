import Tensors

/// A tensor as another framework's file of a model has it, and where its elements lie in a parameter of ours.
public struct FrameworkTensor: Sendable {
  /// The elements of a tensor.
  public enum Content: Sendable, Hashable {
    /// All elements of the parameter of this name, in this order.
    case parameter(String, ElementOrder)
    /// A bias that the framework adds beside the parameter of this name. Ours has one: the first `addable` elements can be added to it, and
    /// the others must be zero. It is zero when written, and may be missing.
    case secondBias(of: String, addable: Int)
    /// One whole number of 64 bits, the steps of training, which is not read.
    case stepCount
  }

  /// The path of its layer within the model in our names, such as `block1.residual1.layernorm1`.
  private(set) var layer = ""
  /// The path of its module in the framework's names, such as `blocks.0.n1`.
  private var module = ""
  /// Its name within the module, such as `weight`.
  private var local: String
  private let framework: Framework
  /// The shape in the framework.
  public private(set) var shape: Shape
  /// The elements; a parameter by its name in the model.
  public private(set) var content: Content

  /// The tensor called `name` in its module, of the parameter called `parameter` in its layer: in our order, unless another is given.
  public init(
    _ framework: Framework, _ name: String, _ shape: Shape, parameter: String, _ order: ElementOrder? = nil
  ) {
    let order = order ?? ElementOrder(count: shape.count)
    precondition(order.count == shape.count, "\(name) of shape \(shape) in an order of \(order.count)")
    self.init(framework, name, shape, .parameter(parameter, order))
  }

  /// A tensor of this content.
  public init(_ framework: Framework, _ name: String, _ shape: Shape, _ content: Content) {
    self.framework = framework
    local = name
    self.shape = shape
    self.content = content
  }

  /// The name in the framework's file, such as `blocks.0.n1.weight`.
  public var name: String { framework.joined(module, local) }

  /// The parameter that it is of, in our names; nil if it is of none.
  public var parameter: String? {
    switch content {
    case .parameter(let name, _), .secondBias(let name, _): name
    case .stepCount: nil
    }
  }

  /// The same tensor within a container, which calls its layer `layer` and its module `module`; either may be without a name.
  func within(layer: String, module: String) -> FrameworkTensor {
    var tensor = self
    if !layer.isEmpty {
      tensor.layer = self.layer.isEmpty ? layer : "\(layer).\(self.layer)"
      switch content {
      case .parameter(let name, let order): tensor.content = .parameter("\(layer).\(name)", order)
      case .secondBias(let name, let addable): tensor.content = .secondBias(of: "\(layer).\(name)", addable: addable)
      case .stepCount: break
      }
    }
    tensor.module = framework.joined(module, self.module)
    return tensor
  }

  /// The same tensor under the names that `names` has for its layer or itself.
  func named(by names: ModuleNames) -> FrameworkTensor {
    var tensor = self
    let own = layer.isEmpty ? local : "\(layer).\(local)"
    if let name = names.names[own] {
      (tensor.module, tensor.local) = ("", name)
    } else if let module = names.names[layer] {
      tensor.module = module
    }
    if names.pointwise.contains(layer), shape.rank == 2 { tensor.shape = Shape(shape.extents + [1]) }
    return tensor
  }

  /// Its elements, taken from `parameters`, a block in `layout`; nil of a ``Content/stepCount``.
  public func values(of parameters: Buffer<Float>, _ layout: ParameterLayout) -> Buffer<Float>? {
    switch content {
    case .parameter(let name, let order):
      let values = Buffer<Float>(count: shape.count)
      order.export(parameters[layout.ranges[layout.place(of: name)]], into: values)
      return values
    case .secondBias: return Buffer(count: shape.count)
    case .stepCount: return nil
    }
  }
}
