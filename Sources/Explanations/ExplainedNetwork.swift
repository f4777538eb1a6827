import NeuralNetworks
import Tensors

/// A trained classifier as a function that can be explained: the score of a class by the input, and its gradient.
///
/// No pass is one of training: nothing is dropped, and normalisations use their running averages. A value is used by one thread at a time.
public final class ExplainedNetwork {
  /// The number of a class that is explained.
  public enum Score: String, CaseIterable, Sendable {
    /// The network's own output, before the loss makes probabilities of it. Of a network with one output, z for the positive class and −z for
    /// the rest.
    case logit
    /// The class's probability.
    case probability
  }

  /// The model.
  public let model: Model
  /// The classes.
  public let loss: any ClassLoss
  /// The number that is explained.
  public let score: Score

  /// The samples of a pass, whatever is explained: the bits depend on it.
  private static let capacity = 32

  let parameters: Buffer<Float>
  /// The network where no gradient is asked for, by its fastest kernels, and where one is.
  private let forwards: Sequential
  private let body: Sequential
  private let layout: ParameterLayout
  /// The inputs of a pass [capacity, input shape], and the gradients by them.
  private let inputs: Buffer<Float>
  private let inputGradients: Buffer<Float>
  private let outputs: Buffer<Float>
  private let outputGradients: Buffer<Float>
  private let probabilities: Buffer<Float>
  /// The gradient by the weights, which comes with that by the inputs.
  private let unused: Buffer<Float>
  private var divided: [Int: DividedNetwork] = [:]
  private var trace: AttentionTrace?

  /// The function that `network` computes with the weights `parameters`, a block of its layout.
  ///
  /// Throws `ModelError` if the network tells no classes apart, or if `score` is not known of its loss.
  public init(_ network: Network, parameters: Buffer<Float>, score: Score = .logit) throws {
    guard let loss = network.loss as? any ClassLoss else {
      throw ModelError("model \(escaped(network.model.name)) tells no classes apart, and there is nothing to explain")
    }
    let hasProbabilities = loss is SoftmaxCrossEntropy || loss is SigmoidCrossEntropy
    guard loss.outputs == loss.classes || loss.outputs == 1 && loss.classes == 2, score == .logit || hasProbabilities
    else {
      throw ModelError("the loss \(escaped(loss.name)) has no \(score.rawValue) that could be explained")
    }
    precondition(parameters.count == network.layout.count, "\(parameters.count) floats for \(network.layout.count)")
    (model, self.loss, self.score, self.parameters) = (network.model, loss, score, parameters)
    layout = network.layout
    let (count, samples) = (model.input.count, Self.capacity)
    forwards = try Sequential(model.layers, input: model.input, capacity: samples)
    body = try Sequential(model.layers, input: model.input, capacity: samples, needsInputGradient: true)
    inputs = Buffer(count: samples * count)
    inputGradients = Buffer(count: samples * count)
    outputs = Buffer(count: samples * loss.outputs)
    outputGradients = Buffer(count: samples * loss.outputs)
    probabilities = Buffer(count: loss.classes)
    unused = Buffer(count: layout.count)
  }

  /// The network's outputs for `input` [input shape].
  public func outputs(for input: Buffer<Float>) -> Buffer<Float> {
    let result = Buffer<Float>(count: loss.outputs)
    forwards.forward(input, ParameterBlock(parameters, layout), into: result, Pass(samples: 1))
    return result
  }

  /// The probability of every class, by its index, for `input`.
  public func probabilities(for input: Buffer<Float>) -> [Float] {
    loss.probabilities(outputs(for: input), into: probabilities)
    return probabilities.array
  }

  /// The class's score for `input`.
  public func score(of target: Int, for input: Buffer<Float>) -> Double {
    seed(outputs(for: input), target, score, gradient: nil)
  }

  /// The scores of `count` inputs, which `fill` writes one by one, by their number: [input shape].
  func scores(
    of target: Int, count: Int, as score: Score? = nil, fill: (Int, Buffer<Float>) -> Void
  ) -> [Double] {
    var scores: [Double] = []
    scores.reserveCapacity(count)
    forEachPass(count, fill) { samples, inputs in
      let found = outputs(of: forwards, inputs, samples.count)
      for index in 0..<samples.count {
        scores.append(seed(found.row(index, of: loss.outputs), target, score ?? self.score, gradient: nil))
      }
    }
    return scores
  }

  /// Calls `body` with the number, the score and ∂score/∂input [input shape] of each of `count` inputs, which `fill` writes.
  func forEachGradient(
    of target: Int, count: Int, fill: (Int, Buffer<Float>) -> Void, _ body: (Int, Double, Buffer<Float>) -> Void
  ) {
    forEachPass(count, fill) { samples, inputs in
      let found = outputs(of: self.body, inputs, samples.count)
      let gradients = outputGradients.prefix(found.count)
      let scores = (0..<samples.count).map { index in
        seed(
          found.row(index, of: loss.outputs), target, score, gradient: gradients.row(index, of: loss.outputs))
      }
      let result = inputGradients.prefix(inputs.count)
      self.body.backward(
        BackwardWindows(
          outputGradient: gradients, input: inputs, output: found, parameters: ParameterBlock(parameters, layout),
          inputGradient: result, gradient: GradientBlock(unused, layout, .replace)), Pass(samples: samples.count))
      for index in 0..<samples.count {
        body(samples.lowerBound + index, scores[index], result.row(index, of: model.input.count))
      }
    }
  }

  private func forEachPass(
    _ count: Int, _ fill: (Int, Buffer<Float>) -> Void, _ body: (Range<Int>, Buffer<Float>) -> Void
  ) {
    for start in stride(from: 0, to: count, by: Self.capacity) {
      let samples = start..<min(start + Self.capacity, count)
      for index in samples { fill(index, inputs.row(index - start, of: model.input.count)) }
      body(samples, inputs.prefix(samples.count * model.input.count))
    }
  }

  private func outputs(of network: Sequential, _ inputs: Buffer<Float>, _ samples: Int) -> Buffer<Float> {
    let found = outputs.prefix(samples * loss.outputs)
    network.forward(inputs, ParameterBlock(parameters, layout), into: found, Pass(samples: samples))
    return found
  }

  /// The class's score by one sample's outputs; writes ∂score/∂outputs to `gradient` if it is given.
  func seed(_ outputs: Buffer<Float>, _ target: Int, _ score: Score, gradient: Buffer<Float>?) -> Double {
    let isSingle = loss.outputs == 1
    let sign: Float = isSingle && target == 0 ? -1 : 1
    switch score {
    case .logit:
      gradient?.fill(0)
      gradient?[isSingle ? 0 : target] = sign
      return Double(sign * outputs[isSingle ? 0 : target])
    case .probability:
      loss.probabilities(outputs, into: probabilities)
      let own = probabilities[target]
      if let gradient, isSingle {
        gradient[0] = sign * own * probabilities[1 - target]
      } else if let gradient {
        for index in 0..<outputs.count { gradient[index] = own * ((index == target ? 1 : 0) - probabilities[index]) }
      }
      return Double(own)
    }
  }

  /// The network cut behind one of its ``layers``, made once.
  func divided(behind place: Int) throws -> DividedNetwork {
    if let found = divided[place] { return found }
    let made = try DividedNetwork(self, behind: place)
    divided[place] = made
    return made
  }

  /// The network step by step with the weights of its attention, made once.
  func attentionTrace() throws -> AttentionTrace {
    if let trace { return trace }
    let made = try AttentionTrace(self)
    trace = made
    return made
  }
}

extension Buffer<Float> {
  /// The row `index` of a matrix of `columns` columns.
  func row(_ index: Int, of columns: Int) -> Buffer<Float> { self[index * columns..<(index + 1) * columns] }
}
