import NeuralNetworks

extension Dense: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    let rows = builder.reshaped(input, [input.shape.count]).name
    let output = builder.node(
      "Gemm", [rows, try builder.parameter("weights"), try builder.parameter("bias")], ["transB": .integer(1)])
    return ONNXValue(output, [units])
  }
}

extension TokenDense: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    ONNXValue(try builder.projection(input.name), [input.shape[0], units])
  }
}
