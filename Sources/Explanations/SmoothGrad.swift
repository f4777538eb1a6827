import Privacy
import Tensors

/// The mean slope of the score around the input: `1/n · Σ ∂F/∂x (x + ε)`, ε normal with a standard deviation of σ = noise · (max x − min x).
///
/// Source: Smilkov et al. 2017 (arXiv 1706.03825). The noise of a seed is the same for every input.
public struct SmoothGrad: AttributionMethod {
  /// n.
  public let samples: Int
  /// σ as a part of the input's range.
  public let noise: Double
  /// The numbers follow from it.
  public let seed: UInt64
  public var name: String { "smoothgrad" }

  /// The mean of `samples` slopes, 1 or more.
  public init(samples: Int = 50, noise: Double = 0.15, seed: UInt64 = 0) {
    precondition(samples >= 1 && noise >= 0, "\(samples) slopes with noise \(noise)")
    (self.samples, self.noise, self.seed) = (samples, noise, seed)
  }

  /// The input with the noise of the copy `index`.
  package func noisy(_ input: Buffer<Float>, _ index: Int, into copy: Buffer<Float>) {
    let deviation = noise * Double(input.array.max() ?? 0) - noise * Double(input.array.min() ?? 0)
    var words = Philox(seed: seed, purpose: .explanation, stream: UInt64(index))
    func word() -> UInt64 { UInt64(words.next()) << 32 | UInt64(words.next()) }
    for place in stride(from: 0, to: input.count, by: 2) {
      let radius = word()
      let pair = normalPair(radius: radius, angle: word())
      copy[place] = Float(Double(input[place]) + deviation * pair.x)
      if place + 1 < input.count { copy[place + 1] = Float(Double(input[place + 1]) + deviation * pair.y) }
    }
  }

  public func attribution(of input: Buffer<Float>, target: Int, in network: ExplainedNetwork) -> Attribution {
    var sums = [Double](repeating: 0, count: input.count)
    network.forEachGradient(of: target, count: samples, fill: { noisy(input, $0, into: $1) }) { _, _, gradient in
      for index in sums.indices { sums[index] += Double(gradient[index]) }
    }
    return Attribution(
      values: Buffer(sums.map { Float($0 / Double(samples)) }), shape: network.model.input, isSigned: true)
  }
}
