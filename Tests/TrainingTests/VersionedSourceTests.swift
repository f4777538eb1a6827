import FoundationEssentials
import Glibc
import Lockstep
import Testing

/// Layers keep what they make of a step's weights. Neither a next step nor a source around another may see old ones.
@Suite struct VersionedSourceTests {
  /// A source of one's own around a network's. It asks for the gradient of other weights first, as sharpness-aware methods do.
  private final class Around: GradientSource {
    let inner: NetworkGradient
    let perturbs: Bool
    private let other: Buffer<Float>
    private let unused: Buffer<Float>
    var passMicrobatches: Int { inner.passMicrobatches }
    var losses: [LossSums] { inner.losses }

    init(_ inner: NetworkGradient, count: Int, perturbs: Bool) {
      self.inner = inner
      self.perturbs = perturbs
      other = Buffer(count: count)
      unused = Buffer(count: count)
    }

    func differentiate(
      _ share: StepShare, parameters: Buffer<Float>, into gradient: Buffer<Float>, _ accumulation: Accumulation
    ) {
      if perturbs {
        for index in 0..<other.count { other[index] = parameters[index] + 0.5 }
        inner.differentiate(share, parameters: other, into: unused, .replace)
      }
      inner.differentiate(share, parameters: parameters, into: gradient, accumulation)
    }
  }

  /// The weights after three steps of three microbatches.
  private static func weights(
    _ precision: ProductPrecision, around perturbs: Bool?
  ) throws -> [Float] {
    let inputs = Buffer<Float>((0..<6 * 24).map { Float(sin(1.3 * Double($0))) })
    let data = try InMemoryDataset(inputs: inputs, shape: [4, 6], labels: Buffer([0, 1, 2, 3, 0, 1]))
    let model = Model("tokens", input: [4, 6]) {
      Residual([TokenDense(9), GELU(), TokenDense(6)])
      MultiHeadAttention(heads: 2)
      LSTM(5)
      Dense(4)
    }
    let network = try Network(model, loss: SoftmaxCrossEntropy(classes: 4), capacity: 2, precision: precision)
    let parameters = Buffer<Float>(count: network.layout.count)
    network.initialise(parameters, seed: 1)
    let batches = try BatchPlan(samples: 6, globalBatch: 6, microbatch: 2)
    let optimizer = SGD(learningRate: 0.1)
    let communicator = SoloCommunicator()
    let division = StepDivision(
      of: network.layout, optimizer: optimizer, communicator: communicator, method: .lockstep, sharesMemory: false,
      shards: false)
    let own = NetworkGradient(network, data, batches: batches)
    let source: any GradientSource =
      perturbs.map { Around(own, count: parameters.count, perturbs: $0) } ?? own
    let step = try TrainingStep(
      source, layout: network.layout, batches: batches, parameters: parameters,
      optimizer: optimizer.makeOptimizer(for: network.layout), division: division, communicator: communicator)
    for number in 1...3 {
      _ = try step.take(batches.batch(0), of: EpochOrder(seed: 0, epoch: 0, count: 6), step: number)
    }
    return parameters.array
  }

  @Test(arguments: ProductPrecision.allCases)
  func `A source around another has the same weights after each step`(precision: ProductPrecision) throws {
    let plain = try Self.weights(precision, around: nil)
    #expect(plain.allSatisfy { $0.isFinite })
    #expect(try Self.weights(precision, around: false) == plain)
    #expect(try Self.weights(precision, around: true) == plain)
  }
}
