import NeuralNetworks
import Tensors

extension GatedStack: ONNXLayer {
  /// By convolutions over [samples, channels, steps], padded at the beginning alone, so that no step sees a later one.
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    let turn = [0, 2, 1]
    var state = builder.node("Transpose", [input.name], ["perm": .integers(turn)])
    var sum: String?
    for (index, dilation) in dilations.enumerated() {
      let unit = "unit\(index + 1)"
      let gates = try builder.gates(unit, of: state, dilation: dilation)
      let skipped = try builder.pointwise("\(unit).skip", of: gates)
      sum = sum.map { builder.node("Add", [$0, skipped]) } ?? skipped
      guard index < dilations.count - 1 else { break }
      state = builder.node("Add", [state, try builder.pointwise("\(unit).residual", of: gates)])
    }
    let output = builder.node("Transpose", [sum ?? state], ["perm": .integers(turn)])
    return ONNXValue(output, [input.shape[0], skip])
  }
}

extension ONNXBuilder {
  /// `tanh(a) · sigmoid(b)` of a unit.
  fileprivate mutating func gates(_ unit: String, of state: String, dilation: Int) throws -> String {
    let name = "\(unit).gateWeights"
    let weights = try parameter(name, ElementOrder(shape(of: name), axes: [2, 1, 0]))
    let sums = node(
      "Conv", [state, weights, try parameter("\(unit).gateBias")],
      ["kernel_shape": .integers([2]), "dilations": .integers([dilation]), "pads": .integers([dilation, 0])])
    let parts = nodes("Split", [sums], outputs: 2, ["axis": .integer(1)])
    return node("Mul", [node("Tanh", [parts[0]]), node("Sigmoid", [parts[1]])])
  }

  /// A convolution of one step by the parameters that begin with `name`.
  fileprivate mutating func pointwise(_ name: String, of value: String) throws -> String {
    let shape = shape(of: "\(name)Weights")
    let order = ElementOrder(extents: shape.extents + [1], strides: [shape[1], 1, 1])
    let weights = try parameter("\(name)Weights", order)
    return node("Conv", [value, weights, try parameter("\(name)Bias")], ["kernel_shape": .integers([1])])
  }
}
