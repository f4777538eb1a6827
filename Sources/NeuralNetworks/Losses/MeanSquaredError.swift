import Tensors

/// The mean squared error of n outputs z from a sample's n real numbers y:
/// `loss = Σⱼ (zⱼ − yⱼ)² / n`, `∂loss/∂zⱼ = 2 (zⱼ − yⱼ) / n`.
///
/// A batch's mean of it is PyTorch's `MSELoss` and Keras' `mse`. The targets are ``Examples/values``; no sample counts as classified
/// rightly.
public struct MeanSquaredError: Loss {
  public let outputs: Int
  public var targetValues: Int { outputs }
  public var name: String { "regress" }

  /// The error over `outputs` real numbers a sample, 1 or more.
  public init(outputs: Int) { self.outputs = outputs }

  public func evaluate(_ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?) -> LossSums {
    let values = examples.values
    precondition(
      values.count == examples.samples * outputs,
      "\(values.count) values for \(examples.samples) samples of \(outputs) outputs")
    var sum = 0.0
    for index in 0..<values.count {
      let difference = output[index] - values[index]
      sum += Double(difference) * Double(difference)
      gradient?[index] = 2 * difference / Float(outputs)
    }
    return LossSums(loss: sum / Double(outputs), samples: examples.samples)
  }
}
