import Tensors

/// The score's slope along the way from a baseline b to the input, times that way: `(xᵢ − b) · ∫₀¹ ∂F/∂xᵢ (b + t · (x − b)) dt`.
///
/// The attributions add up to F(x) − F(b), but for the error of the rule of integration: ``Attribution/completeness``.
///
/// Source: Sundararajan, Taly & Yan 2017 (arXiv 1703.01365).
public struct IntegratedGradients: AttributionMethod {
  /// The places on the way whose slope is taken.
  public let steps: Int
  /// The rule by which the places are chosen.
  public let rule: IntegrationRule
  /// b, of every value.
  public let baseline: Float
  private let nodes: [(place: Double, weight: Double)]
  public var name: String { "integrated-gradients" }

  /// An integral by `steps` slopes, 1 or more.
  public init(steps: Int = 200, rule: IntegrationRule = .gausslegendre, baseline: Float = 0) {
    precondition(steps >= 1, "an integral of \(steps) steps")
    (self.steps, self.rule, self.baseline) = (steps, rule, baseline)
    nodes = rule.nodes(steps)
  }

  public func attribution(of input: Buffer<Float>, target: Int, in network: ExplainedNetwork) -> Attribution {
    var sums = [Double](repeating: 0, count: input.count)
    var scores: [Double] = []
    network.forEachGradient(
      of: target, count: steps,
      fill: { step, point in
        let place = Float(nodes[step].place)
        for index in 0..<point.count { point[index] = baseline + place * (input[index] - baseline) }
      }
    ) { step, score, gradient in
      scores.append(score)
      for index in sums.indices { sums[index] += nodes[step].weight * Double(gradient[index]) }
    }
    var total = 0.0
    let values = Buffer<Float>(count: input.count)
    for index in sums.indices {
      let share = sums[index] * Double(input[index] - baseline)
      total += share
      values[index] = Float(share)
    }
    let ends = network.scores(of: target, count: 2) { $0 == 0 ? $1.fill(baseline) : $1.copy(from: input) }
    return Attribution(
      values: values, shape: network.model.input, isSigned: true,
      completeness: Completeness(sum: total, scores: scores, input: ends[1], baseline: ends[0]))
  }
}
