/// The value of an attribute of an ``ONNXGraph``'s node.
public enum ONNXAttribute: Sendable, Hashable {
  /// An integer: `INT`.
  case integer(Int)
  /// A list of integers: `INTS`.
  case integers([Int])
  /// A number: `FLOAT`.
  case float(Float)

  /// The message AttributeProto of an attribute called `name`.
  func message(named name: String) -> ProtobufMessage {
    ProtobufMessage { message in
      message.add(1, name)
      switch self {
      case .float(let value):
        message.add(2, value)
        message.add(20, 1)
      case .integer(let value):
        message.add(3, value)
        message.add(20, 2)
      case .integers(let values):
        message.add(8, packed: values)
        message.add(20, 7)
      }
    }
  }
}
