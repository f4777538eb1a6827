import ArgumentParser
import Lockstep

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a checkpoint's weights for PyTorch.",
    discussion: """
      Names, shapes and layouts are those of the same model's state_dict(), so that load_state_dict(…, strict=True) takes them. Of a run \
      with --ema the averages are written. Below mpirun rank 0 writes alone.

      Example: lockstep export runs/first --format safetensors --output model.safetensors
      """)

  /// The file that is written.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    /// PyTorch's names and layouts: `safetensors.torch.load_file` reads it.
    case safetensors
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
      let weights = try RestoredNetwork.weights(
        checkpoint, input: input.flatMap { Shape(argument: $0) }, strict: strictness.strict
      ) { Terminal.complain("warning: \($0)") }
      let count =
        switch format {
        case .safetensors: try weights.write(for: .pytorch, safetensors: output)
        }
      print(
        "\(singleLine(output)): \(count) tensors by PyTorch's names, of \(singleLine(weights.path)), step \(weights.state.step)"
          + (weights.isAveraged ? ", averaged weights" : ""))
    } catch {
      throw TrainingError(error)
    }
  }
}
