// Data and a loss of one's own: a function of two numbers, learnt from points that are drawn as they are asked for.
import Lockstep

/// Points x, y of [-1, 1]², and x·y.
struct Saddle: Dataset {
  let count: Int
  /// Which points: training and test data have no point in common.
  let seed: UInt64

  var inputShape: Shape { [2] }
  var targets: Targets { .values(count: 1) }
  // What the points follow from stands for them.
  var digest: SHA256Digest { SHA256Digest(of: Array("saddle \(count) \(seed)".utf8)) }

  private func point(_ sample: UInt32) -> (x: Float, y: Float) {
    var words = Philox(seed: seed, purpose: .init(rawValue: 1000), stream: UInt64(sample))
    return (2 * words.nextUniform() - 1, 2 * words.nextUniform() - 1)
  }

  func copyInputs(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>, noise: Noise?) {
    for (place, sample) in samples.enumerated() {
      (destination[2 * place], destination[2 * place + 1]) = point(sample)
    }
  }

  func copyValues(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>) {
    for (place, sample) in samples.enumerated() {
      let (x, y) = point(sample)
      destination[place] = x * y
    }
  }
}

/// Huber's loss of one number (1964): d²/2 up to |d| = δ, then δ·(|d| − δ/2), with d the output less the target.
struct Huber: Loss {
  var delta: Float = 0.1
  var outputs: Int { 1 }
  var targetValues: Int { 1 }

  func evaluate(_ output: Buffer<Float>, _ examples: Examples, gradient: Buffer<Float>?) -> LossSums {
    var sums = LossSums(samples: examples.samples)
    for sample in 0..<examples.samples {
      let difference = output[sample] - examples.values[sample]
      let size = abs(difference)
      sums.loss += Double(size <= delta ? size * size / 2 : delta * (size - delta / 2))
      gradient?[sample] = max(-delta, min(difference, delta))
    }
    return sums
  }
}

World.run { communicator in
  let model = Model("saddle", input: [2]) {
    Dense(32)
    ReLU()
    Dense(1)
  }
  var recipe = Recipe(model: model, loss: Huber())
  recipe.optimizer = SGD(learningRate: 0.5, momentum: 0.9, isNesterov: true)
  recipe.epochs = 20
  try Trainer(
    recipe, training: Saddle(count: 2000, seed: 1), test: Saddle(count: 500, seed: 2), on: communicator,
    observers: [ConsoleObserver()]
  ).run()
}
