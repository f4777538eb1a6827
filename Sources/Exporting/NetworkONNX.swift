import Exchange
import NeuralNetworks
import Tensors

extension Network {
  /// The network with the weights `parameters`, a block in ``layout``, as a model of ONNX that computes an evaluation's outputs.
  ///
  /// Its input is called `input`, 32-bit floats [N, input shape], N free: the samples as the network takes them here, images with their
  /// channels last. Its output is called `logits`, [N, output shape of the loss]. Dropout is left out, and batch normalisation takes its
  /// running averages. What the numbers mean is said in the model's documentation and metadata.
  ///
  /// Throws `ModelError` if a layer cannot be written, or if the file would be larger than `mostBytes`: by default as large as its readers
  /// take it.
  public func onnx(_ parameters: Buffer<Float>, mostBytes: Int = ONNXModel.mostBytes) throws -> ONNXModel {
    precondition(parameters.count == layout.count, "\(parameters.count) floats for a layout of \(layout.count)")
    do {
      var graph = ONNXGraph(name: model.name)
      graph.addInput(graph.uniqueName("input"), [.named("N")] + model.input.extents.map { .fixed($0) })
      let output = graph.uniqueName("logits")
      var builder = ONNXBuilder(graph, parameters: parameters, layout: layout, mostBytes: mostBytes)
      let last = try builder.add(model.layers, input: ONNXValue("input", model.input))
      let shape = loss.outputShape
      let value = builder.reshaped(last, shape)
      graph = builder.graph
      graph.addNode("Identity", [value.name], outputs: [output])
      graph.addOutput(output, [.named("N")] + shape.extents.map { .fixed($0) })
      let meaning = ONNXMeaning(of: self)
      return ONNXModel(
        graph, producer: "lockstep", documentation: meaning.documentation, metadata: meaning.metadata)
    } catch let error as ModelError {
      throw ModelError("model \(model.name): \(error)")
    }
  }
}
