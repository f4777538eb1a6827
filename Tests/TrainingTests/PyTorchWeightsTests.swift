import Foundation
import Lockstep
import PeerPython
import Testing

/// Weights taken from PyTorch and given back: the built-in models beside those of Tests/Peers/zoo.py, by Tests/Peers/torch_weights.py.
@Suite struct PyTorchWeightsTests {
  private static let samples = 3
  /// Of the largest value.
  private static let tolerance: Float = 1e-4

  /// A built-in model on a few samples.
  private struct Example {
    let name: String
    let network: Network
    let examples: Examples

    init(_ name: String) throws {
      self.name = name
      let input: Shape = name == "gpt" ? [14, 14, 1] : [28, 28, 1]
      let loss: any Loss =
        switch name {
        case "gpt": PixelSoftmaxCrossEntropy(pixels: input.count)
        case "wavenet": PixelSigmoidCrossEntropy(pixels: input.count)
        default: SoftmaxCrossEntropy(classes: 10)
        }
      var model = try Model.named(name, input: input, outputs: loss.outputs)
      // Without its randomness, which no other framework shares; the numbers of the layers stay.
      if model.layers.contains(where: { $0 is Dropout }) {
        model = Model(
          name: name, input: input,
          layers: model.layers.map { $0 is Dropout ? Dropout(0) as any LayerSpecification : $0 })
      }
      network = try Network(model, loss: loss, capacity: samples)
      let inputs = Buffer<Float>(count: samples * input.count)
      for index in 0..<inputs.count {
        let value = 0.5 + 0.5 * sin(Double(index) * Double(index) * 0.37 + 0.2)
        inputs[index] = loss is any PixelLoss ? (value > 0.5 ? 1 : 0) : Float(value)
      }
      let labels = Buffer((0..<samples).map { Int32($0 * 3 % 10) })
      examples =
        loss is any PixelLoss
        ? Examples(samples: samples, inputs: inputs, labels: Buffer(count: 0), values: inputs)
        : Examples(inputs: inputs, labels: labels)
    }

    /// Weights of which none is where it starts.
    var weights: Buffer<Float> {
      let parameters = Buffer<Float>(count: network.layout.count)
      network.initialise(parameters, seed: 5)
      for range in network.layout.ranges {
        for index in range { parameters[index] += 0.02 * Float(sin(Double(index) * 1.7)) }
      }
      return parameters
    }

    func logits(_ parameters: Buffer<Float>) -> [Float] {
      network.outputs(examples, parameters: parameters).array
    }

    /// The tensors of `block`, weights or gradients, as PyTorch has them.
    func tensors(_ block: Buffer<Float>, steps: Int = 0) throws -> [any StorableTensor] {
      try TrainedWeights(network: network, parameters: block, state: RunState(step: steps, seed: 0)).tensors(
        in: .pytorch)
    }
  }

  private static func write(_ values: [Float], _ shape: Shape, named name: String, to path: String) throws {
    try SafeTensors.write([NamedTensor(name: name, shape: shape, values: Buffer(values))], to: path)
  }

  private static func read(_ name: String, from file: borrowing SafeTensorsFile) throws -> [Float] {
    let shape = try #require(file.header.tensor(named: name), "\(name)").shape
    let values = Buffer<Float>(count: shape.count)
    try file.read(name, shape: shape, into: values)
    return values.array
  }

  /// The largest difference, as a part of the largest of `expected`; infinite if the counts differ.
  private static func difference(_ found: [Float], _ expected: [Float]) -> Float {
    guard found.count == expected.count else { return .infinity }
    let largest = expected.map(abs).max() ?? 0
    return zip(found, expected).map { abs($0 - $1) }.max().map { $0 / max(largest, 1e-20) } ?? 0
  }

  /// PyTorch with the answers of the script, for all models at once: importing it takes most of the time.
  private static func exchange(_ names: [String], in directory: String) throws -> Bool {
    let packages = ["torch", "numpy", "safetensors"]
    guard let python = try PeerPython("torch", packages: packages, modules: ["torch", "safetensors.torch"]) else {
      return false
    }
    for name in names {
      let example = try Example(name)
      let inputs = example.examples.inputs
      try write(inputs.array, [inputs.count], named: "inputs", to: "\(directory)/\(name).inputs.safetensors")
      try SafeTensors.write(
        try example.tensors(example.weights, steps: 3), to: "\(directory)/\(name).ours.safetensors")
    }
    let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Peers/torch_weights.py").path
    let result = try python.run([script, directory] + names)
    try #require(result.status == 0, "\(result.output)")
    return true
  }

  @Test func everyModelComputesWhatPyTorchComputes() throws {
    let scratch = try Scratch()
    // bert has no model there, but vit's names.
    let names = Model.names.filter { !$0.contains(":") && $0 != "bert" }
    #expect(names.count >= 12)
    guard try Self.exchange(names, in: scratch.path) else { return }
    for name in names {
      let example = try Example(name)
      let results = try SafeTensorsFile("\(scratch.path)/\(name).results.safetensors", checksums: .optional)
      let given = Self.difference(
        try Self.read("ours", from: results), example.logits(example.weights))
      #expect(given < Self.tolerance, "\(name): logits of ours in PyTorch")

      let path = "\(scratch.path)/\(name).theirs.safetensors"
      let parameters = Buffer<Float>(count: example.network.layout.count)
      let taken = try InitialWeights(path: path, of: example.network, into: parameters)
      #expect(taken.framework == .pytorch && taken.left.isEmpty, "\(name): \(taken.text)")
      #expect(taken.text.hasSuffix(" parameters, by PyTorch's names"))
      let logits = Self.difference(example.logits(parameters), try Self.read("theirs", from: results))
      #expect(logits < Self.tolerance, "\(name): logits of PyTorch's here")

      let gradient = Buffer<Float>(count: example.network.layout.count)
      let loss = example.network.differentiate(
        example.examples, parameters: parameters, into: gradient, .replace,
        noise: Noise(seed: 0, step: 0, firstPosition: 0))
      let lossDifference = Self.difference([Float(loss.loss)], try Self.read("loss", from: results))
      #expect(lossDifference < Self.tolerance, "\(name): loss")
      let layout = example.network.layout
      var worst: Float = 0
      for tensor in try example.network.tensors(in: .pytorch) {
        guard case .parameter(let parameter, _) = tensor.content,
          layout.parameters[layout.place(of: parameter)].role != .average,
          let values = tensor.values(of: gradient, layout)
        else { continue }
        let part = Self.difference(values.array, try Self.read("gradient.\(tensor.name)", from: results))
        #expect(part < Self.tolerance, "\(name): the gradient of \(tensor.name)")
        worst = max(worst, part)
      }
      print("\(name): logits \(given) and \(logits), loss \(lossDifference), gradients \(worst)")
      try checkWays(of: path, with: example, parameters)
    }
    try checkSecondBiases(scratch.path)
    try checkKeras(scratch.path)
  }

  /// The same bits back, under the same names and shapes; and weights that DDP wrote.
  private func checkWays(of path: String, with example: Example, _ parameters: Buffer<Float>) throws {
    let theirs = try SafeTensorsFile(path, checksums: .optional)
    let back = try example.tensors(parameters, steps: 7)
    #expect(back.count == theirs.header.tensors.count, "\(example.name)")
    for tensor in back {
      let there = try #require(theirs.header.tensor(named: tensor.name), "\(example.name): \(tensor.name)")
      #expect(there.shape == tensor.shape, "\(example.name): \(tensor.name)")
      if let tensor = tensor as? NamedTensor {
        #expect(try Self.read(tensor.name, from: theirs) == tensor.values.array, "\(tensor.name)")
      } else {
        #expect(there.elementType == .int64 && (tensor as? NamedIntegers)?.values.array == [7], "\(tensor.name)")
      }
    }
    let wrapped = "\(path).wrapped"
    try SafeTensors.write(
      back.compactMap { $0 as? NamedTensor }.map {
        NamedTensor(name: "module.\($0.name)", shape: $0.shape, values: $0.values)
      }, to: wrapped)
    let again = Buffer<Float>(count: parameters.count)
    let taken = try InitialWeights(path: wrapped, of: example.network, into: again)
    #expect(taken.left.isEmpty && again.array == parameters.array, "\(example.name)")
  }

  /// A second bias that can be added is added, and else refused.
  private func checkSecondBiases(_ directory: String) throws {
    for name in ["rnn", "lstm", "gru"] {
      let example = try Example(name)
      let parameters = Buffer<Float>(count: example.network.layout.count)
      let path = "\(directory)/\(name).second.safetensors"
      #expect(try InitialWeights(path: path, of: example.network, into: parameters).left.isEmpty)
      let results = try SafeTensorsFile("\(directory)/\(name).results.safetensors", checksums: .optional)
      let difference = Self.difference(example.logits(parameters), try Self.read("second", from: results))
      #expect(difference < Self.tolerance, "\(name) with a second bias")
    }
    let gru = try Example("gru").network
    let error = #expect(throws: TrainingError.self) {
      let parameters = Buffer<Float>(count: gru.layout.count)
      _ = try InitialWeights(path: "\(directory)/gru.refused.safetensors", of: gru, into: parameters)
    }
    #expect(
      error?.code == .badData && error?.description.contains("rnn.bias_hh_l0 is not zero from row 256 on") == true)
  }

  private func checkKeras(_ directory: String) throws {
    let example = try Example("article")
    let path = "\(directory)/article.keras.safetensors"
    let parameters = Buffer<Float>(count: example.network.layout.count)
    let taken = try InitialWeights(path: path, of: example.network, into: parameters)
    #expect(taken.text == "initialised from \(path): 4 of 4 parameters, by Keras' names")
    let results = try SafeTensorsFile("\(directory)/article.results.safetensors", checksums: .optional)
    #expect(Self.difference(example.logits(parameters), try Self.read("keras", from: results)) < Self.tolerance)
  }
}
