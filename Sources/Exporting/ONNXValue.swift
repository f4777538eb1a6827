import Tensors

/// A value of an ONNX graph, by what it is here.
public struct ONNXValue: Sendable {
  /// Its name in the graph.
  public let name: String
  /// The shape of one sample, as our layers have it: of an image [height, width, channels].
  public let shape: Shape
  /// Whether the graph has an image as [samples, channels, height, width]; else every value is [samples, shape].
  public let isChannelsFirst: Bool

  /// A value [samples, shape].
  public init(_ name: String, _ shape: Shape) { self.init(name, shape, isChannelsFirst: false) }

  init(_ name: String, _ shape: Shape, isChannelsFirst: Bool) {
    self.name = name
    self.shape = shape
    self.isChannelsFirst = isChannelsFirst
  }

  /// The value called `name`, of the same shape and order.
  public func renamed(_ name: String) -> ONNXValue { ONNXValue(name, shape, isChannelsFirst: isChannelsFirst) }
}
