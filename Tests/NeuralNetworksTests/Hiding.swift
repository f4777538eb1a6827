import NeuralNetworks
import Tensors

/// Makes the second of each two numbers 1 where it is above 0, else 0, and leaves the first: pixels, and whether each is hidden, of any numbers.
struct Hiding: ElementwiseSpecification {
  let kind = "hiding"

  static func forward(_ input: Buffer<Float>, into output: Buffer<Float>) {
    for k in 0..<input.count { output[k] = k % 2 == 0 ? input[k] : input[k] > 0 ? 1 : 0 }
  }

  static func backward(_ windows: BackwardWindows, into inputGradient: Buffer<Float>) {
    for k in 0..<inputGradient.count { inputGradient[k] = k % 2 == 0 ? windows.outputGradient[k] : 0 }
  }
}

/// `numbers` as ``Hiding`` makes them.
func hiding(_ numbers: Buffer<Float>) -> Buffer<Float> {
  let result = Buffer<Float>(count: numbers.count)
  Hiding.forward(numbers, into: result)
  return result
}
