// A layer and an optimizer of one's own.
import Lockstep

/// A rectifier whose slope below zero is learnt (He et al. 2015): `y = x` where x > 0, else `a·x`. Parameter: `slope` [1].
struct PReLU: LayerSpecification {
  var kind: String { "prelu" }
  func outputShape(for input: Shape) throws -> Shape { input }
  func learntCount(for input: Shape) -> Double { 1 }
  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer { PReLULayer() }
}

final class PReLULayer: Layer {
  // A slope of 0 at the start: a rectifier. It does not decay, so its role is a bias'.
  let parameters = [ParameterSpecification(name: "slope", shape: [1], initialiser: .zeros, role: .bias)]

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    let slope = parameters["slope"][0]
    for index in 0..<input.count { output[index] = input[index] > 0 ? input[index] : slope * input[index] }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    let slope = windows.parameters["slope"][0]
    let (input, outputGradient) = (windows.input, windows.outputGradient)
    var sum: Float = 0
    for index in 0..<input.count {
      let isAbove = input[index] > 0
      if !isAbove { sum += outputGradient[index] * input[index] }
      windows.inputGradient?[index] = outputGradient[index] * (isAbove ? 1 : slope)
    }
    // The sum is complete before it is added: one rounding, which the same bits on any ranks rest on.
    windows.gradient.complete(0, at: 0, with: sum)
  }
}

/// Lion (Chen et al. 2023, Algorithm 2), without decay: θ = θ − α·sign(β₁·m + (1 − β₁)·g), then m = β₂·m + (1 − β₂)·g.
struct Lion: OptimizerSpecification {
  var learningRate: Float = 3e-4
  var name: String { "lion" }
  var stateNames: [String] { ["m"] }
  var isElementwise: Bool { true }

  func makeOptimizer(state: OptimizerState, layout: ParameterLayout, schedule: Schedule) -> any Optimizer {
    LionOptimizer(self, state, schedule)
  }
}

final class LionOptimizer: Optimizer {
  let state: OptimizerState
  private let lion: Lion
  private let schedule: Schedule

  init(_ lion: Lion, _ state: OptimizerState, _ schedule: Schedule) {
    (self.lion, self.state, self.schedule) = (lion, state, schedule)
  }

  func update(_ parameters: Buffer<Float>, gradient: Buffer<Float>, in range: Range<Int>, scale: Float, step: Int) {
    let rate = lion.learningRate * Float(schedule.factor(step: step))
    let momentum = state.values(0, of: range)
    for (place, index) in range.enumerated() {
      let mean = gradient[index] * scale
      let direction = 0.9 * momentum[place] + 0.1 * mean
      parameters[index] -= direction > 0 ? rate : direction < 0 ? -rate : 0
      momentum[place] = 0.99 * momentum[place] + 0.01 * mean
    }
  }
}

World.run { communicator in
  let directory = try ImageDataset.directory(named: "mnist")
  let training = try ImageDataset.load(directory: directory, part: .train)
  let test = try ImageDataset.load(directory: directory, part: .test)
  let model = Model("prelu", input: training.inputShape) {
    Flatten()
    for size in [128, 64] {
      Dense(size)
      PReLU()
    }
    Dense(10)
  }
  var recipe = Recipe(model: model, loss: SoftmaxCrossEntropy(classes: 10))
  recipe.optimizer = Lion()
  recipe.schedule = .cosine
  recipe.globalBatch = 128
  recipe.epochs = 2
  try Trainer(recipe, training: training, test: test, on: communicator, observers: [ConsoleObserver()]).run()
}
