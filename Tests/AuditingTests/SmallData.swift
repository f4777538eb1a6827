import Lockstep

/// Random inputs with random labels: nothing to learn, and all to remember.
enum SmallData {
  static func random(_ count: Int, seed: UInt64 = 1) throws -> InMemoryDataset {
    var words = Philox(seed: seed, purpose: .bootstrap, stream: 5)
    let inputs = Buffer<Float>(count: count * 8)
    for index in 0..<inputs.count { inputs[index] = words.nextUniform() * 2 - 1 }
    let labels = Buffer<Int32>(count: count)
    for index in 0..<count { labels[index] = index < 4 ? Int32(index) : Int32(words.next(below: 4)) }
    return try InMemoryDataset(
      inputs: inputs, shape: [8], labels: labels, classes: Classes(checking: 4, firstLabel: 0))
  }

  /// A recipe that remembers such data.
  static func recipe(_ loss: any Loss = SoftmaxCrossEntropy(classes: 4)) -> Recipe {
    let model = Model("small", input: [8]) {
      Dense(64)
      ReLU()
      Dense(loss.outputs)
    }
    var recipe = Recipe(model: model, loss: loss)
    recipe.epochs = 40
    recipe.globalBatch = 16
    recipe.learningRate = 0.02
    return recipe
  }
}
