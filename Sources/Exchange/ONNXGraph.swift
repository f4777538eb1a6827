/// A graph of ONNX's operators (onnx.ai, IR specification), put together value by value. It knows operators by their names alone.
///
///     var graph = ONNXGraph(name: "line")
///     graph.addInput("x", [.named("N"), .fixed(3)])
///     graph.addConstant("w", shape: [3, 2], floats: weights)
///     graph.addNode("MatMul", ["x", "w"], outputs: ["y"])
///     graph.addOutput("y", [.named("N"), .fixed(2)])
///
/// Values are named by their maker (``uniqueName(_:)``). A node takes only values that were added before it: the order in which ONNX wants
/// nodes.
public struct ONNXGraph: Sendable {
  /// An extent of a value's shape.
  public enum Extent: Sendable, Hashable {
    /// A number.
    case fixed(Int)
    /// Free: any number, the same wherever the name stands.
    case named(String)
  }

  /// GraphProto. The order of fields of different numbers is free.
  private(set) var message = ProtobufMessage()
  private var values: Set<String> = [""]
  /// The names that were given, and the number that each had last as a stem.
  private var names: [String: Int] = [:]

  /// A graph without values.
  public init(name: String) { message.add(2, name) }

  /// The bytes of the graph so far.
  public var byteCount: Int { message.bytes.count }

  /// `stem`, or, where that was given before, the first of `stem_2`, `stem_3` and so on that was not.
  public mutating func uniqueName(_ stem: String) -> String {
    var name = stem
    while names[name] != nil {
      names[stem, default: 1] += 1
      name = "\(stem)_\(names[stem, default: 1])"
    }
    names[name] = 1
    return name
  }

  /// Adds an input of 32-bit floats.
  public mutating func addInput(_ name: String, _ extents: [Extent]) {
    define(name)
    message.add(11, Self.value(name, extents))
  }

  /// Makes the value called `name`, of 32-bit floats, an output.
  public mutating func addOutput(_ name: String, _ extents: [Extent]) {
    precondition(values.contains(name), "there is no value \(name)")
    message.add(12, Self.value(name, extents))
  }

  /// Adds a constant of 32-bit floats, in row-major order.
  public mutating func addConstant(_ name: String, shape: [Int], floats: [Float]) {
    precondition(shape.reduce(1, *) == floats.count, "\(name): \(floats.count) floats for shape \(shape)")
    addConstant(name, shape, type: 1) { $0.add(9, packed: floats) }
  }

  /// Adds a constant of 64-bit integers, in row-major order.
  public mutating func addConstant(_ name: String, shape: [Int], integers: [Int]) {
    precondition(shape.reduce(1, *) == integers.count, "\(name): \(integers.count) integers for shape \(shape)")
    addConstant(name, shape, type: 7) { $0.add(9, bytes: integers.flatMap { Int64($0).littleEndianBytes }) }
  }

  /// Adds a node of the operator called `operation`, which computes `outputs` from `inputs`. An empty name stands for an input that is not
  /// given, or an output that nobody wants.
  public mutating func addNode(
    _ operation: String, _ inputs: [String], outputs: [String], attributes: KeyValuePairs<String, ONNXAttribute> = [:]
  ) {
    for input in inputs { precondition(values.contains(input), "\(operation) of \(input), which there is not") }
    for output in outputs where !output.isEmpty { define(output) }
    message.add(
      1,
      ProtobufMessage { node in
        for input in inputs { node.add(1, input) }
        for output in outputs { node.add(2, output) }
        node.add(3, outputs.first { !$0.isEmpty } ?? operation)
        node.add(4, operation)
        for (name, attribute) in attributes { node.add(5, attribute.message(named: name)) }
      })
  }

  private mutating func define(_ name: String) {
    precondition(values.insert(name).inserted, "there are two values \(name)")
  }

  /// Adds a TensorProto, whose elements `fill` adds as field 9: bytes, the lowest of each element first.
  private mutating func addConstant(
    _ name: String, _ shape: [Int], type: Int, _ fill: (inout ProtobufMessage) -> Void
  ) {
    define(name)
    message.add(
      5,
      ProtobufMessage { tensor in
        if !shape.isEmpty { tensor.add(1, packed: shape) }
        tensor.add(2, type)
        tensor.add(8, name)
        fill(&tensor)
      })
  }

  /// The ValueInfoProto of a tensor of 32-bit floats.
  private static func value(_ name: String, _ extents: [Extent]) -> ProtobufMessage {
    let shape = ProtobufMessage { shape in
      for extent in extents {
        shape.add(
          1,
          ProtobufMessage {
            switch extent {
            case .fixed(let count): $0.add(1, count)
            case .named(let name): $0.add(2, name)
            }
          })
      }
    }
    let tensor = ProtobufMessage {
      $0.add(1, 1)
      $0.add(2, shape)
    }
    return ProtobufMessage { value in
      value.add(1, name)
      value.add(2, ProtobufMessage { $0.add(1, tensor) })
    }
  }
}
