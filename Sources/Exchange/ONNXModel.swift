/// A model as an ONNX file holds it: a graph, and words about it. Its operators are those of the default domain.
public struct ONNXModel: Sendable {
  /// The version of the format.
  public static let formatVersion = 8
  /// The version of the operators.
  public static let operatorVersion = 17
  /// The most bytes of a file: its readers take no larger message.
  public static let mostBytes = Int(Int32.max)

  /// The graph.
  public var graph: ONNXGraph
  /// The name of the program that made it.
  public var producer: String
  /// The version of that program.
  public var producerVersion: String
  /// Words for a reader.
  public var documentation: String
  /// Words for a program, each key once.
  public var metadata: [(key: String, value: String)]

  /// A model of this graph.
  public init(
    _ graph: ONNXGraph, producer: String, producerVersion: String = "", documentation: String = "",
    metadata: [(key: String, value: String)] = []
  ) {
    self.graph = graph
    self.producer = producer
    self.producerVersion = producerVersion
    self.documentation = documentation
    self.metadata = metadata
  }

  /// The bytes of the file, a ModelProto.
  public var bytes: [UInt8] {
    ProtobufMessage { model in
      model.add(1, Self.formatVersion)
      model.add(2, producer)
      model.add(3, producerVersion)
      model.add(6, documentation)
      model.add(7, graph.message)
      model.add(
        8,
        ProtobufMessage {
          $0.add(1, "")
          $0.add(2, Self.operatorVersion)
        })
      for (key, value) in metadata {
        model.add(
          14,
          ProtobufMessage {
            $0.add(1, key)
            $0.add(2, value)
          })
      }
    }.bytes
  }
}
