import ArgumentParser
import Lockstep

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Shows what a checkpoint or any other safetensors file holds, after checking every byte of it; or a model.",
    discussion: """
      Examples: lockstep inspect runs/first/checkpoints/step-00009375.safetensors
                lockstep inspect --model vgg
                lockstep inspect --model vgg --format json > mine.json
      """)

  /// What becomes of a model.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    /// A line a layer: its output, its parameters, the work of training.
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

  func validate() throws {
    guard (file == nil) != (model == nil) else { throw ValidationError("give a FILE to inspect, or --model") }
    if let input, Shape(argument: input) == nil {
      throw ValidationError(Shape.argumentFault(input))
    }
    guard (1...Shape.mostExtent).contains(outputs) else {
      throw ValidationError("--outputs \(outputs) is not in 1 to \(Shape.mostExtent)")
    }
  }

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
      let opened = try SafeTensorsFile(file, checksums: .optional)
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
      print("\(escaped(model.name)) on samples of \(input)")
      print(try SummaryTable(ModelSummary(model)).text)
    case .json:
      print(try ModelDescription(outputs: outputs) { try Model.load(name, input: input, outputs: $0) }.text)
    }
  }
}
