import NeuralNetworks
import Tensors

extension Conv2D: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    let image = builder.channelsFirst(input)
    let order = ElementOrder(builder.shape(of: "weights"), axes: [3, 2, 0, 1])
    let weights = try builder.parameter("weights", order)
    let bias = hasBias ? [try builder.parameter("bias")] : []
    let pad = padding == .same ? (kernel - 1) / 2 : 0
    let output = builder.node(
      "Conv", [image.name, weights] + bias,
      [
        "kernel_shape": .integers([kernel, kernel]), "strides": .integers([stride, stride]),
        "pads": .integers([pad, pad, pad, pad]),
      ])
    return ONNXValue(output, try outputShape(for: input.shape), isChannelsFirst: true)
  }
}

extension MaxPool2D: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    let output = builder.node(
      "MaxPool", [builder.channelsFirst(input).name],
      ["kernel_shape": .integers([size, size]), "strides": .integers([stride, stride])])
    return ONNXValue(output, try outputShape(for: input.shape), isChannelsFirst: true)
  }
}

extension GlobalAveragePool2D: ONNXLayer {
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) -> ONNXValue {
    let channels = input.shape[2]
    let means = builder.node("GlobalAveragePool", [builder.channelsFirst(input).name])
    return ONNXValue(builder.reshaped(means, [-1, channels]), [channels])
  }
}

extension BatchNorm: ONNXLayer {
  /// With the running averages. ONNX has the channels behind the samples: what is no image becomes rows of channels.
  public func add(to builder: inout ONNXBuilder, input: ONNXValue) throws -> ONNXValue {
    let isImage = input.shape.rank == 3
    let channels = input.shape[input.shape.rank - 1]
    let values =
      isImage
      ? builder.channelsFirst(input).name
      : input.shape.rank == 1 ? input.name : builder.reshaped(input.name, [-1, channels])
    let parameters = try ["scale", "shift", "mean", "variance"].map { try builder.parameter($0) }
    let output = builder.node("BatchNormalization", [values] + parameters, ["epsilon": .float(1e-5)])
    if isImage { return ONNXValue(output, input.shape, isChannelsFirst: true) }
    return ONNXValue(
      input.shape.rank == 1 ? output : builder.reshaped(output, [-1] + input.shape.extents), input.shape)
  }
}
