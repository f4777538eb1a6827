import Privacy
import Tensors

/// Turns a client's update into integers from 0 to 2²², which can be masked and summed exactly.
///
/// With n samples, the largest weight M, and a value x of the update, as Flower's SecAgg+ does:
///
/// ```
/// q = round(n / M · 2²²), to even where between two       the weight, which is summed as well
/// y = x · q / 2²², clipped to ±8                          the weighted value
/// level = ⌊y · 2¹⁸ + u⌋ + 2²¹                             u uniform in [0, 1)
/// ```
///
/// So a step is 2⁻¹⁸ of a weighted value, about 3.8 · 10⁻⁶, and a level is off by less than one; by chance it is rounded up as
/// often as keeps its expectation at y. The numbers u are multiples of 2⁻²⁴ from Philox, keyed by
/// ``AggregationSetup/roundingSeed``, round, client and the value's index: a result depends on these alone, not on ranks, masks,
/// or who else takes part. They are no secret; what hides an update is its mask.
///
/// Source: Flower 1.42, `flwr/common/secure_aggregation/quantization.py` and `secaggplus_mod.py`.
public struct UpdateQuantiser: Sendable {
  /// The bound of a weighted value: 8.
  public static let clip = 8.0
  /// The number of steps from −8 to 8: 2²².
  public static let levels = 1 << 22

  private let setup: AggregationSetup

  /// The quantiser of a round.
  public init(_ setup: AggregationSetup) { self.setup = setup }

  /// q of a client with `samples` samples. Throws ``AggregationError/update(_:)`` if these are not from 1 to
  /// ``AggregationSetup/maximumWeight``, or so few that q would be 0.
  func weight(samples: Int, client: Int) throws(AggregationError) -> UInt32 {
    guard (1...setup.maximumWeight).contains(samples) else {
      throw .update("client \(client) has a weight of \(samples); it must be from 1 to \(setup.maximumWeight)")
    }
    let share = Double(samples) / Double(setup.maximumWeight)
    return UInt32((share * Double(Self.levels)).rounded(.toNearestOrEven))
  }

  /// The levels of `update`, `[P]`, of a client with `samples` samples, and its weight. Throws ``AggregationError/update(_:)``
  /// if the values are not as many as the setup says, or one is not finite, or the weight is out of range.
  public func quantised(
    _ update: Buffer<Float>, samples: Int, client: Int
  ) throws(AggregationError) -> QuantisedUpdate {
    guard update.count == setup.parameterCount else {
      throw .update("client \(client) has an update of \(update.count) values in the place of \(setup.parameterCount)")
    }
    let weight = try weight(samples: samples, client: client)
    var words = WordVector(count: update.count + 1)
    // Exact: 24 bits times 23, and a power of two.
    let factor = Double(weight) * (Double(1 << 18) / Double(Self.levels))
    var random = Philox(
      seed: setup.roundingSeed, purpose: .aggregationRounding,
      stream: UInt64(setup.round) << 32 | UInt64(client))
    let bound = Self.clip * Double(1 << 18)
    if let index = words.setFirst(update, factor: factor, bound: bound, middle: 1 << 21, &random) {
      throw .update("client \(client) has an update whose value \(index) is not finite")
    }
    words[update.count] = weight
    return QuantisedUpdate(words: words)
  }
}

/// The levels of one client's update, or of the sum of several, and their weight. Plain, not masked: it stays with its client.
public struct QuantisedUpdate: Sendable {
  /// The levels, and behind them the weight.
  var words: WordVector

  /// The levels, `[P]`, modulo 2³².
  public var levels: [UInt32] { words.array.dropLast() }
  /// Σ q.
  public var weight: UInt32 { words[words.count - 1] }

  init(words: WordVector) { self.words = words }

  /// Adds another one of as many values.
  public mutating func add(_ other: QuantisedUpdate) { words.add(other.words) }
}
