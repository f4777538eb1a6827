import Collectives
import Tensors

/// Made-up gradients of a batch's microbatches, and what their sum must be in the tree's order.
public struct LeafGradients: Sendable {
  /// The gradients, by microbatch.
  public let gradients: [[Float]]
  /// The floats of each.
  public let count: Int

  /// These gradients, of one or more microbatches.
  public init(gradients: [[Float]]) {
    self.gradients = gradients
    count = gradients[0].count
  }

  /// Gradients of `leaves` microbatches, the same wherever they are made. Their magnitudes span twelve binary orders and
  /// their signs differ, so that nearly every change in the order of additions shows in the bits of the sum.
  public init(leaves: Int, count: Int, seed: UInt64 = 1) {
    self.count = count
    self.gradients = (0..<leaves).map { leaf in
      // SplitMix64 (Steele, Lea, Flood 2014), a stream for each leaf.
      var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(leaf + 1) &* 0xD1B5_4A32_D192_ED03
      return (0..<count).map { _ in
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        let unit = Float(Int32(truncatingIfNeeded: bits >> 32)) / 0x1p31
        return unit * Float(sign: .plus, exponent: Int(bits & 15) - 8, significand: 1)
      }
    }
  }

  /// The sum in the order that ``ReductionTree``'s documentation states, by nothing but recursion over arrays.
  public var treeSum: [Float] {
    var width = 1
    while width < gradients.count { width *= 2 }
    return sum(gradients[...], width: width)
  }

  private func sum(_ leaves: ArraySlice<[Float]>, width: Int) -> [Float] {
    if width == 1 { return leaves.first ?? [] }
    let left = sum(leaves.prefix(width / 2), width: width / 2)
    let right = leaves.dropFirst(width / 2)
    if right.isEmpty { return left }
    return zip(left, sum(right, width: width / 2)).map { $0 + $1 }
  }

  /// The sums in Double, and the sums of absolute values, from which follows how far rounding can lead away from them.
  public var exactSum: [(sum: Double, magnitude: Double)] {
    (0..<count).map { index in
      gradients.reduce(into: (sum: 0.0, magnitude: 0.0)) { total, gradient in
        total.sum += Double(gradient[index])
        total.magnitude += Double(abs(gradient[index]))
      }
    }
  }

  /// The largest distance of `result` from ``exactSum``, in units of the error bound of summation in any order,
  /// (n − 1)·ε·Σ|x| (Higham, Accuracy and Stability of Numerical Algorithms, § 4.2): 1 or less for a sum that is only rounded.
  public func error(of result: [Float]) -> Double {
    zip(result, exactSum).map { value, exact in
      let bound = Double(max(gradients.count - 1, 1)) * 0x1p-23 * exact.magnitude
      return Swift.abs(Double(value) - exact.sum) / max(bound, .leastNormalMagnitude)
    }.max() ?? 0
  }

  /// Does what a training step does with its rank's microbatches, and returns the sum that this rank is handed.
  ///
  /// - Parameters:
  ///   - inspect: says whether this rank's part is good; nil for no agreement.
  ///   - measure: told the whole sum, which is then waited for.
  ///   - halves: is shown the halves of the sum; nil for a plan that does not show them.
  ///   - shows: whether this rank writes what it made to where the others read it, and does not leave that to the reduction.
  ///   - finish: makes what is spread of this rank's part, which it is told with whether all are good.
  public func reduce(
    with reduction: GradientReduction, making made: Buffer<Float>? = nil,
    inspect: ((Buffer<Float>, Range<Int>) -> Bool)? = nil, awaiting: GradientReduction.Awaited = .opinions,
    measure: ((Buffer<Float>) -> Void)? = nil, showing halves: (any HalvesReader)? = nil, shows: Bool = false,
    finish: (Buffer<Float>, Range<Int>, Bool) -> Void = { _, _, _ in }
  ) throws -> (sum: [Float], isGood: Bool, partIsFinite: Bool) {
    let plan = reduction.plan(microbatches: gradients.count, showsHalves: halves != nil)
    for contribution in plan.contributions {
      let slot = reduction.slot(contribution.slot)
      // A pass over several microbatches adds them in the tree's order, as a layer that takes them does.
      let gradient = LeafGradients(gradients: Array(gradients[contribution.microbatches])).treeSum
      for index in 0..<count {
        switch contribution.accumulation {
        case .replace: slot[index] = gradient[index]
        case .add: slot[index] += gradient[index]
        }
      }
      reduction.fold(contribution)
    }
    let part = try reduction.sum(plan, showing: halves)
    var isGood = true
    if inspect != nil || measure != nil {
      isGood = try reduction.agree(
        inspect?(part.floats, part.range) ?? true, awaiting: measure == nil ? awaiting : .total)
    }
    measure?(reduction.awaitedTotal)
    finish(part.floats, part.range, isGood)
    var isShown = false
    if shows, let made, let shown = reduction.shownResults {
      let results = part.range.clamped(to: 0..<made.count)
      shown[results].copy(from: made[results])
      isShown = true
    }
    let (total, everybodys) = try reduction.spread(made, isShown: isShown)
    return (total.array, everybodys, part.isFinite)
  }
}

/// The bits of `floats`: unlike ==, they tell 0 from −0 and hold a NaN equal to itself.
public func bits(_ floats: [Float]) -> [UInt32] { floats.map(\.bitPattern) }
