import NeuralNetworks

extension ReLU: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) -> ONNXValue {
    input.renamed(builder.node("Relu", [input.name]))
  }
}

extension Sigmoid: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) -> ONNXValue {
    input.renamed(builder.node("Sigmoid", [input.name]))
  }
}

extension Tanh: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) -> ONNXValue {
    input.renamed(builder.node("Tanh", [input.name]))
  }
}

extension SiLU: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) -> ONNXValue {
    input.renamed(builder.node("Mul", [input.name, builder.node("Sigmoid", [input.name])]))
  }
}

extension GELU: ONNXLayer {
  /// Written out: `x · sigmoid(2√(2/π) · (x + 0.044715 x³))`, which is the approximation by tanh.
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) -> ONNXValue {
    let x = input.name
    let square = builder.node("Mul", [x, x])
    let slope = builder.node("Mul", [square, builder.number(0.0713548163)])
    let factor = builder.node("Add", [slope, builder.number(1.5957691216)])
    let argument = builder.node("Mul", [x, factor])
    return input.renamed(builder.node("Mul", [x, builder.node("Sigmoid", [argument])]))
  }
}

extension Dropout: ONNXLayer {
  /// Left out: an evaluation has none.
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) -> ONNXValue { input }
}
