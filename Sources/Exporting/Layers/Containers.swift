import NeuralNetworks

extension Block: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    try builder.add(layers, input: input)
  }
}

extension Residual: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    let own = try builder.add(body.layers, input: input)
    let way = try shortcut.map { try builder.add($0.layers, input: input, named: "shortcut") } ?? input
    let other = own.isChannelsFirst ? builder.channelsFirst(way) : builder.channelsLast(way)
    return own.renamed(builder.node("Add", [own.name, other.name]))
  }
}

extension Flatten: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) -> ONNXValue {
    builder.reshaped(input, [input.shape.count])
  }
}

extension Reshape: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) -> ONNXValue { builder.reshaped(input, shape) }
}
