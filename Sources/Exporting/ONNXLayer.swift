import NeuralNetworks

/// A layer that can be written as nodes of ONNX's operators, which compute what it does in an evaluation.
///
/// A layer of your own conforms to it, and is exported like any other:
///
///     extension PReLU: ONNXLayer {
///       public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
///         let rows = builder.channelsLast(input)
///         return rows.renamed(builder.node("PRelu", [rows.name, try builder.parameter("slope")]))
///       }
///     }
public protocol ONNXLayer: LayerSpecification {
  /// Adds the layer's nodes behind `input`, of the layer's input shape, and returns the value of its output.
  ///
  /// Throws `ModelError` if it cannot be written.
  func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue
}
