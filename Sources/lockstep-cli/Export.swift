import ArgumentParser
import Lockstep

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a checkpoint for PyTorch, NumPy or any runtime of ONNX.",
    discussion: """
      safetensors and npz hold the weights: names, shapes and layouts are those of the same model's state_dict() in PyTorch, so that \
      load_state_dict(…, strict=True) takes them. onnx holds the whole net, from samples as Lockstep has them to logits. Of a run with --ema \
      the averages are written. Below mpirun rank 0 writes alone.

      Example: lockstep export runs/first --format onnx --output model.onnx
      """)

  /// The file that is written.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    /// PyTorch's names and layouts: `safetensors.torch.load_file` reads it.
    case safetensors
    /// The net: `onnxruntime.InferenceSession` runs it.
    case onnx
    /// PyTorch's names and layouts: `numpy.load` reads it.
    case npz
  }

  @Argument(help: "A checkpoint, or a run directory, whose newest whole checkpoint is meant.")
  var checkpoint: String

  @Option(help: "The kind of file.")
  var format = Format.safetensors

  @Option(help: "The file.")
  var output: String

  @Option(
    help:
      "The shape of the run's samples, such as 32x32x3: height, width, channels. (default: 28x28x1, or what its table has)"
  )
  var input: String?

  @OptionGroup var strictness: StrictOption

  func validate() throws {
    if let input, Shape(argument: input) == nil { throw ValidationError(Shape.argumentFault(input)) }
  }

  func run() throws {
    guard World.isFirst else { return }
    do {
      let weights = try waiting(while: "reading the checkpoint") {
        try RestoredNetwork.weights(
          checkpoint, input: input.flatMap { Shape(argument: $0) }, strict: strictness.strict
        ) { Terminal.complain("warning: \($0)") }
      }
      let content = try waiting(while: "writing \(output)") { try write(weights) }
      print(
        "\(singleLine(output)): \(content), of \(singleLine(weights.path)), step \(weights.state.step)"
          + (weights.isAveraged ? ", averaged weights" : ""))
    } catch {
      throw TrainingError(error)
    }
  }

  /// Writes the file, and returns what it holds.
  private func write(_ weights: TrainedWeights) throws -> String {
    switch format {
    case .safetensors:
      return "\(try weights.write(for: .pytorch, safetensors: output)) tensors by PyTorch's names"
    case .npz:
      let tensors = try weights.tensors(in: .pytorch)
      try NumPyArchive.write(tensors, to: output)
      return "\(tensors.count) arrays by PyTorch's names"
    case .onnx:
      var model = try weights.network.onnx(weights.parameters)
      model.producerVersion = lockstepVersion
      model.metadata += [
        (key: "step", value: "\(weights.state.step)"),
        (key: "weights", value: weights.isAveraged ? "averages" : "the last step's"),
      ]
      try AtomicFile.write(model.bytes, to: output)
      return "model \(singleLine(weights.network.model.name)) in operators \(ONNXModel.operatorVersion) of ONNX"
    }
  }
}
