import Collectives
import Kernels
import Tensors
import Training

/// The sum of updates by the fixed tree over the participants of a round: each is a leaf, as a microbatch's gradient is in a step.
final class TreeAggregation: UpdateAggregation {
  private let reduction: GradientReduction
  private let weighted: Range<Int>
  private let scaled: Buffer<Float>
  private var choice: RoundChoice?
  private var plan: ReductionPlan?
  private var contributions: [Int: ReductionPlan.Contribution] = [:]

  /// Means of updates of `count` floats of up to `mostClients` clients. Collective. Throws ``CommunicationError``.
  ///
  /// - Parameter parameters: the floats that clients have weights for; what is behind them is added up as it is, for SCAFFOLD's variates.
  init(
    count: Int, parameters: Int, mostClients: Int, sharesMemory: Bool, communicator: any Communicator
  ) throws {
    reduction = try GradientReduction(
      count: count, microbatchCounts: Set(1...mostClients), communicator: communicator, sharesMemory: sharesMemory)
    weighted = 0..<parameters
    scaled = Buffer(count: count)
  }

  func begin(_ choice: RoundChoice, round: Int) -> [Int] {
    self.choice = choice
    plan = choice.participants.isEmpty ? nil : reduction.plan(microbatches: choice.participants.count)
    let places = plan?.contributions.map { ($0.microbatches.lowerBound, $0) } ?? []
    contributions = Dictionary(uniqueKeysWithValues: places)
    return places.map(\.0)
  }

  func add(_ update: Buffer<Float>, of place: Int) {
    guard let contribution = contributions[place], let choice else {
      preconditionFailure("client \(place) is another rank's")
    }
    scaled.copy(from: update)
    let weight = choice.participants[place].weight
    if weight != 1 { scale(scaled[weighted], by: Float(weight)) }
    accumulate(scaled, into: reduction.slot(contribution.slot), contribution.accumulation)
    reduction.fold(contribution)
  }

  func mean(into mean: Buffer<Float>) throws -> String? {
    guard let plan, let choice else { preconditionFailure("a mean without clients") }
    _ = try reduction.sum(plan)
    mean.copy(from: try reduction.spread().total)
    scale(mean[weighted], by: Float(1 / choice.divisor))
    return nil
  }
}
