import Exchange
import NeuralNetworks
import Tensors

/// A network on its way into an ONNX graph: the nodes so far, and the weights that the layers take their constants from.
public struct ONNXBuilder {
  private(set) var graph: ONNXGraph
  private let parameters: Buffer<Float>
  private let layout: ParameterLayout
  /// The most bytes of the file, of which all that is no constant has a twentieth.
  private let mostBytes: Int
  /// The path of the layer that is being added in the names of its parameters, such as `block1.residual1.layernorm1`; or of its container.
  private var path = ""
  /// The constants that several layers share, and images in the other order of axes, by what they are.
  private var shared: [String: String] = [:]

  init(_ graph: ONNXGraph, parameters: Buffer<Float>, layout: ParameterLayout, mostBytes: Int) {
    self.graph = graph
    self.mostBytes = mostBytes
    self.parameters = parameters
    self.layout = layout
  }

  // MARK: Layers

  /// Adds layers one after the other, and returns the output of the last.
  ///
  /// - Parameter name: what stands before the names of the layers' parameters within those of the layer that contains them.
  public mutating func add(
    _ layers: [any LayerSpecification], input: ONNXValue, named name: String = ""
  ) throws -> ONNXValue {
    let outside = path
    defer { path = outside }
    let container = Self.joined(outside, name)
    var (value, numbers) = (input, [String: Int]())
    for layer in layers {
      guard let exportable = layer as? any ONNXLayer else {
        throw ModelError("a layer of kind \(layer.kind) cannot be written with ONNX's operators")
      }
      let output = try layer.outputShape(for: value.shape)
      path = container
      // Layers that learn are numbered, as in the names of the parameters.
      if layer.learntCount(for: value.shape) > 0 {
        numbers[layer.kind, default: 0] += 1
        path = Self.joined(container, "\(layer.kind)\(numbers[layer.kind, default: 1])")
      }
      value = try exportable.add(to: &self, input: value)
      precondition(value.shape == output, "\(layer.kind) gave \(value.shape) instead of \(output)")
    }
    return value
  }

  private static func joined(_ path: String, _ name: String) -> String {
    path.isEmpty || name.isEmpty ? path + name : "\(path).\(name)"
  }

  // MARK: Nodes

  /// Adds a node of one output, and returns the output's name.
  public mutating func node(
    _ operation: String, _ inputs: [String], _ attributes: KeyValuePairs<String, ONNXAttribute> = [:]
  ) -> String {
    nodes(operation, inputs, outputs: 1, attributes)[0]
  }

  /// Adds a node of several outputs, and returns their names; those before the place `first` are not asked for, and nameless.
  public mutating func nodes(
    _ operation: String, _ inputs: [String], outputs: Int, from first: Int = 0,
    _ attributes: KeyValuePairs<String, ONNXAttribute> = [:]
  ) -> [String] {
    let stem = path.isEmpty ? operation : "\(path)/\(operation)"
    let names = (0..<outputs).map { $0 < first ? "" : graph.uniqueName(stem) }
    graph.addNode(operation, inputs, outputs: names, attributes: attributes)
    return names
  }

  /// `x · Wᵀ + b` over the last axis of `input`, W and b the layer's parameters of these names.
  mutating func projection(_ input: String, weights: String = "weights", bias: String = "bias") throws -> String {
    let order = ElementOrder(shape(of: weights), axes: [1, 0])
    let product = node("MatMul", [input, try parameter(weights, order)])
    return node("Add", [product, try parameter(bias)])
  }

  // MARK: Shapes

  /// The value as [samples, shape].
  public mutating func channelsLast(_ value: ONNXValue) -> ONNXValue {
    guard value.isChannelsFirst else { return value }
    return ONNXValue(turned(value.name, [0, 2, 3, 1]), value.shape)
  }

  /// An image as [samples, channels, height, width].
  public mutating func channelsFirst(_ value: ONNXValue) -> ONNXValue {
    guard !value.isChannelsFirst else { return value }
    precondition(value.shape.rank == 3, "\(value.name) of shape \(value.shape) is no image")
    return ONNXValue(turned(value.name, [0, 3, 1, 2]), value.shape, isChannelsFirst: true)
  }

  /// An image in the other order of axes, turned once.
  private mutating func turned(_ name: String, _ axes: [Int]) -> String {
    if let found = shared["turned:\(name)"] { return found }
    let result = node("Transpose", [name], ["perm": .integers(axes)])
    shared["turned:\(name)"] = result
    shared["turned:\(result)"] = name
    return result
  }

  /// The elements of `value` in their order under another shape.
  public mutating func reshaped(_ value: ONNXValue, _ shape: Shape) -> ONNXValue {
    let value = channelsLast(value)
    return value.shape == shape ? value : ONNXValue(reshaped(value.name, [-1] + shape.extents), shape)
  }

  /// The value called `name` under another shape, the samples' axis included; −1 stands for what is left.
  public mutating func reshaped(_ name: String, _ extents: [Int]) -> String {
    node("Reshape", [name, integers(extents)])
  }

  // MARK: Constants

  /// The layer's parameter called `name`, in the order of ours or another, as a constant of that order's extents.
  public mutating func parameter(_ name: String, _ order: ElementOrder? = nil) throws -> String {
    let shape = shape(of: name)
    guard let order else { return try constant(name, shape: shape.extents, values(of: name).array) }
    let ordered = Buffer<Float>(count: shape.count)
    order.export(values(of: name), into: ordered)
    return try constant(name, shape: order.extents, ordered.array)
  }

  /// The shape of the layer's parameter called `name`.
  public func shape(of name: String) -> Shape { layout.parameters[place(of: name)].shape }

  /// The elements of the layer's parameter called `name`.
  public func values(of name: String) -> Buffer<Float> { parameters[layout.ranges[place(of: name)]] }

  private func place(of name: String) -> Int { layout.place(of: Self.joined(path, name)) }

  /// A constant of the layer's own called `name`, made of one or more of its parameters.
  public mutating func constant(_ name: String, shape: [Int], _ floats: [Float]) throws -> String {
    let unique = graph.uniqueName(Self.joined(path, name))
    try requireRoom(for: shape)
    graph.addConstant(unique, shape: shape, floats: floats)
    return unique
  }

  /// A constant that all layers share which ask for one called `name`, of this shape.
  mutating func sharedConstant(_ name: String, shape: [Int], _ floats: () -> [Float]) throws -> String {
    if let found = shared["constant:\(name)"] { return found }
    let unique = graph.uniqueName(name)
    try requireRoom(for: shape)
    graph.addConstant(unique, shape: shape, floats: floats())
    shared["constant:\(name)"] = unique
    return unique
  }

  /// A number, shared by all who ask for it.
  public mutating func number(_ value: Float) -> String {
    let key = "number:\(value.bitPattern)"
    if let found = shared[key] { return found }
    let name = graph.uniqueName("number:\(value)")
    graph.addConstant(name, shape: [], floats: [value])
    shared[key] = name
    return name
  }

  /// A list of whole numbers, shared by all who ask for it.
  public mutating func integers(_ values: [Int]) -> String { integers(values, shape: [values.count]) }

  /// A single whole number.
  public mutating func integer(_ value: Int) -> String { integers([value], shape: []) }

  private mutating func integers(_ values: [Int], shape: [Int]) -> String {
    let text = (shape.isEmpty ? "integer:" : "integers:") + values.map(String.init).joined(separator: ",")
    if let found = shared[text] { return found }
    let name = graph.uniqueName(text)
    graph.addConstant(name, shape: shape, integers: values)
    shared[text] = name
    return name
  }

  /// Throws ``ModelError`` before a constant is made for which the file has no room.
  private func requireRoom(for shape: [Int]) throws {
    // As Double: a product of sizes out of a file may be no Int.
    let wanted = Double(graph.byteCount) + shape.reduce(4.0) { $0 * Double($1) }
    guard wanted < 0.95 * Double(mostBytes) else {
      throw ModelError("its constants are more than fit into an ONNX file of \(mostBytes) bytes")
    }
  }
}
