import Exchange
import NeuralNetworks
import Tensors

extension RNN: ONNXLayer {
  /// With tanh, which is the operator's own.
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    try builder.recurrent("RNN", self, input: input, gates: [0], ["hidden_size": .integer(units)])
  }
}

extension LSTM: ONNXLayer {
  /// Ours are the gates i, f, g, o; ONNX has i, o, f, and g, which it calls c.
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    try builder.recurrent("LSTM", self, input: input, gates: [0, 3, 1, 2], ["hidden_size": .integer(units)])
  }
}

extension GRU: ONNXLayer {
  /// Ours are the gates r, z, n; ONNX has z, r, and n, which it calls h. The reset gate is behind the product.
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    try builder.recurrent(
      "GRU", self, input: input, gates: [1, 0, 2],
      ["hidden_size": .integer(units), "linear_before_reset": .integer(1)])
  }
}

extension ONNXBuilder {
  /// A recurrent layer's last state. `gates` are the places of ONNX's gates among ours.
  fileprivate mutating func recurrent(
    _ operation: String, _ layer: some RecurrentSpecification, input: ONNXValue, gates: [Int],
    _ attributes: KeyValuePairs<String, ONNXAttribute>
  ) throws -> ONNXValue {
    let (units, features) = (layer.units, input.shape[1])
    let rows = gates.count * units
    let ours = ["weights", "recurrent", "bias"].map { values(of: $0) }
    func ordered(_ values: Buffer<Float>) -> [Float] {
      let size = values.count / gates.count
      return gates.flatMap { values[$0 * size..<($0 + 1) * size].array }
    }
    let weights = try constant("weights", shape: [1, rows, features], ordered(ours[0]))
    let recurrent = try constant("recurrent", shape: [1, rows, units], ordered(ours[1]))
    // The state has a bias of its own there.
    let bias = try constant("bias", shape: [1, 2 * rows], ordered(ours[2]) + [Float](repeating: 0, count: rows))
    let steps = node("Transpose", [input.name], ["perm": .integers([1, 0, 2])])
    let states = nodes(operation, [steps, weights, recurrent, bias], outputs: 2, from: 1, attributes)
    return ONNXValue(reshaped(states[1], [-1, units]), [units])
  }
}
