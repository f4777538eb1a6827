import NeuralNetworks
import Tensors

/// The meaning of a network's inputs and outputs, in the words that its ONNX file has of it.
struct ONNXMeaning {
  /// For a reader.
  let documentation: String
  /// For a program: `model`, `loss`, `input`, `output`, and `classes` where there are some.
  let metadata: [(key: String, value: String)]

  init(of network: Network) {
    let (input, output) = (Self.input(of: network), Self.output(of: network.loss))
    documentation =
      "\(network.model.name), trained by Lockstep. input: [N, \(Self.extents(network.model.input))], \(input). "
      + "logits: [N, \(Self.extents(network.loss.outputShape))], \(output)."
    var lines = [("model", network.model.name), ("loss", network.loss.name), ("input", input), ("output", output)]
    if let loss = network.loss as? any ClassLoss {
      lines.append(("classes", (0..<loss.classes).map { loss.name(of: $0) }.joined(separator: ",")))
    }
    metadata = lines.map { (key: $0.0, value: $0.1) }
  }

  private static func extents(_ shape: Shape) -> String { shape.extents.map(String.init).joined(separator: ", ") }

  private static func input(of network: Network) -> String {
    switch network.loss {
    case is HiddenPatchError: "height, width, 2: a pixel's grey value divided by 255, and 1 if it is hidden, else 0"
    case is any PixelLoss: "height, width, channels: pixels in black and white, 0 or 1"
    default:
      switch network.model.input.rank {
      case 3: "height, width, channels: grey values of 0 to 255, divided by 255"
      case 1: "the columns of a table, as data-report.json says they were prepared"
      default: "as the data set gives its samples"
      }
    }
  }

  private static func output(of loss: any Loss) -> String {
    switch loss {
    case let loss as SigmoidCrossEntropy:
      "the sigmoid of it is the probability of the class \(loss.name(of: 1))"
    case is any ClassLoss: "the softmax over the last axis gives the probabilities of the classes"
    case is PixelSoftmaxCrossEntropy: "the softmax over the last axis gives the probabilities of each pixel's values"
    case is PixelSigmoidCrossEntropy: "the sigmoid of each is the probability that the pixel is white"
    case is HiddenPatchError: "the grey values of each patch's pixels, divided by 255"
    default: "the values that the network predicts"
    }
  }
}
