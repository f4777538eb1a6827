import NeuralNetworks
import Tensors

extension Patches: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    let patches = builder.patches(input, size)
    let shape = try outputShape(for: input.shape)
    return ONNXValue(builder.reshaped(patches, [-1] + shape.extents), shape)
  }
}

extension MaskedPatches: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    let shape = try outputShape(for: input.shape)
    let patches = builder.reshaped(builder.patches(input, size), [-1] + shape.extents + [2])
    let parts = [0, 1].map { builder.node("Gather", [patches, builder.integer($0)], ["axis": .integer(3)]) }
    let isSeen = builder.node("Equal", [parts[1], builder.number(0)])
    return ONNXValue(builder.node("Where", [isSeen, parts[0], try builder.parameter("patch")]), shape)
  }
}

extension ONNXBuilder {
  /// An image cut into squares: [samples, squares of a column, squares of a row, size, size, channels].
  fileprivate mutating func patches(_ input: ONNXValue, _ size: Int) -> String {
    let (height, width, channels) = (input.shape[0], input.shape[1], input.shape[2])
    let bands = reshaped(channelsLast(input).name, [-1, height / size, size, width / size, size, channels])
    return node("Transpose", [bands], ["perm": .integers([0, 1, 3, 2, 4, 5])])
  }
}
