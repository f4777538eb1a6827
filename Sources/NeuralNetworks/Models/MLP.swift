import Tensors

/// A multilayer perceptron with ReLU between its layers: by default two hidden layers of 512, 669,706 parameters on MNIST.
@Sendable
func mlp(input: Shape, outputs: Int) -> [any LayerSpecification] {
  perceptron([512, 512, outputs])
}

/// `mlp:A-B-…-Z`: A inputs, which must be the data's, Z outputs, which must be the task's, hidden sizes between.
func mlp(named name: String, input: Shape, outputs: Int) throws -> [any LayerSpecification] {
  let parts = name.dropFirst("mlp:".count).split(separator: "-", omittingEmptySubsequences: false)
  let sizes = parts.compactMap { Int($0) }
  // A size no machine holds is a typing error; refused here, it cannot overflow a count later.
  guard sizes.count == parts.count, sizes.count >= 2, sizes.allSatisfy({ (1...1_000_000).contains($0) }) else {
    throw ModelError(
      "\(Setting.model) \(escaped(name)) is not of the form mlp:A-B-…-Z with two sizes or more, each 1 to 1,000,000")
  }
  guard sizes[0] == input.count else {
    throw ModelError(
      "\(Setting.model) \(escaped(name)) takes \(sizes[0]) inputs, but a sample of the data has \(input.count)")
  }
  guard sizes[sizes.count - 1] == outputs else {
    throw ModelError(
      "\(Setting.model) \(escaped(name)) gives \(sizes[sizes.count - 1]) outputs, but the task needs \(outputs)")
  }
  let count = zip(sizes, sizes.dropFirst()).reduce(0) { $0 + ($1.0 + 1) * $1.1 }
  guard count <= mostParameters else {
    throw ModelError("\(Setting.model) \(escaped(name)) has \(count) parameters; the most is 1,000,000,000")
  }
  return perceptron(Array(sizes.dropFirst()))
}

/// 4 GB of weights, and as much for each gradient and moment. Above it the user gets a line, instead of a process that
/// the kernel kills.
let mostParameters = 1_000_000_000

private func perceptron(_ sizes: [Int]) -> [any LayerSpecification] {
  var layers: [any LayerSpecification] = [Flatten()]
  for (index, size) in sizes.enumerated() {
    if index > 0 { layers.append(ReLU()) }
    layers.append(Dense(size))
  }
  return layers
}
