import ArgumentParser
import Kernels
import Lockstep

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Shows what a checkpoint or any other safetensors file holds, after checking every byte of it; or a model.",
    discussion: """
      Examples: lockstep inspect runs/first/checkpoints/step-00009375.safetensors
                lockstep inspect --model vgg
                lockstep inspect --model vgg --time
                lockstep inspect --model vgg --format json > mine.json
      """)

  /// What becomes of a model.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    /// A line a layer: its output, its parameters, their memory, the work or the time of training.
    case table
    /// The model's file, which `--model` reads.
    case json
  }

  @Argument(help: "The file.")
  var file: String?

  @Option(help: "The network to show instead of a file: \(modelNames).")
  var model: String?

  @Option(help: "How the network is shown: table, or json, as the file that --model reads.")
  var format = Format.table

  @Option(
    help: """
      The shape of the network's input, such as 28x28x1: height, width, channels. (default: MNIST's images as the network takes them)
      """)
  var input: String?

  @Option(help: "The network's outputs.")
  var outputs = 10

  @Flag(help: "Measures each layer's forward and backward pass in steps on one core, for about a second.")
  var time = false

  @Option(help: "Samples in a step that --time measures.")
  var batch = 256

  func validate() throws {
    guard (file == nil) != (model == nil) else { throw ValidationError("give a FILE to inspect, or --model") }
    if let input, Shape(argument: input) == nil {
      throw ValidationError(Shape.argumentFault(input))
    }
    guard (1...Shape.mostExtent).contains(outputs) else {
      throw ValidationError("--outputs \(outputs) is not in 1 to \(Shape.mostExtent)")
    }
    guard !time || (model != nil && format == .table) else {
      throw ValidationError("--time needs the table of a --model")
    }
    guard (1...Self.mostBatch).contains(batch) else {
      throw ValidationError("--batch \(batch) is not in 1 to \(Self.mostBatch)")
    }
  }

  private static let mostBatch = 65_536

  func run() throws {
    guard World.isFirst else { return }
    if let file { try show(file: file) }
    if let model {
      do { try show(model: model, input: input.flatMap { Shape(argument: $0) } ?? usualInput(of: model)) } catch {
        throw TrainingError(error)
      }
    }
  }

  /// The shape of MNIST's images as the network takes them.
  private func usualInput(of model: String) throws -> Shape {
    let image: Shape = [28, 28, 1]
    return try Model.pixelTask(of: model)?.inputShape(for: image) ?? image
  }

  private func show(file: String) throws {
    do {
      let opened = try waiting(while: "checking \(file)") { () throws(SafeTensorsError) in
        try SafeTensorsFile(file, checksums: .optional)
      }
      print(
        "\(singleLine(file)): \(opened.byteCount) bytes, \(opened.header.hasChecksums ? "checksums match" : "no checksums in it")"
      )
      for entry in opened.header.metadata where !entry.key.utf8.starts(with: "sha256".utf8) {
        print("  \(escaped(entry.key)): \(escaped(entry.value, limit: 1000))")
      }
      for tensor in opened.header.tensors {
        print("  \(escaped(tensor.name)) \(tensor.elementType.rawValue) \(tensor.shape)")
      }
    } catch {
      throw TrainingError(error.fileIsMissing ? .missingInput : .badData, error.description)
    }
  }

  private func show(model name: String, input: Shape) throws {
    switch format {
    case .table:
      let model = try Model.load(name, input: input, outputs: outputs)
      let summary = try ModelSummary(model)
      let report =
        try time
        ? waiting(while: "measuring steps of \(grouped(batch)) samples") { try measure(model, named: name) } : nil
      print("\(escaped(model.name)) on samples of \(input)")
      print(
        SummaryTable(
          summary, times: report?.layers.map { ($0.forwardMicroseconds, $0.backwardMicroseconds) }
        ).text)
      if let report {
        print(
          "  in steps of \(report.batch) in microbatches of \(report.microbatch), one core, \(KernelIdentity.current);")
        print("  a whole step takes \(fixed(1e6 / report.samplesPerSecond, 2)) a sample")
      }
    case .json:
      print(try ModelDescription(outputs: outputs) { try Model.load(name, input: input, outputs: $0) }.text)
    }
  }

  /// The times of `model`, which `bench step` measures in the same way, on made-up samples.
  private func measure(_ model: Model, named name: String) throws -> StepReport {
    try prepareArithmetic()
    let (data, loss) = try samples(for: model, Model.pixelTask(of: name))
    var measurement = StepMeasurement(
      try OneRankStep(model, loss: loss, data, globalBatch: batch, microbatch: nil))
    return try measurement.run(seconds: 1)
  }

  /// A batch of even random numbers, of classes in turn or, for a model that predicts pixels, as it takes them.
  private func samples(for model: Model, _ task: PixelTask?) throws -> (any Dataset, any Loss) {
    guard Double(batch) * Double(model.input.count) <= 1e9 else {
      throw TrainingError(.usage, "--batch \(batch) of \(model.input) is too large; give a smaller one")
    }
    let shape: Shape = task?.kind == .hidden ? [model.input[0], model.input[1], 1] : model.input
    var words = Philox(seed: 0, purpose: .initialisation, stream: 0)
    let inputs = Buffer<Float>(count: batch * shape.count)
    for index in 0..<inputs.count { inputs[index] = words.nextUniform() }
    let labels = Buffer((0..<batch).map { Int32($0 % outputs) })
    let data = try InMemoryDataset(
      inputs: inputs, shape: shape, labels: labels, classes: Classes(checking: outputs, firstLabel: 0))
    guard let task else { return (data, SoftmaxCrossEntropy(classes: outputs)) }
    // The input's shape is that behind the pooling.
    let pixels = try PixelTask(task.kind).prepare(data, .threshold)
    return (pixels, try Objective(task.kind).loss(over: pixels, pixels))
  }
}
