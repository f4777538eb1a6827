import Collectives
import Datasets
import NeuralNetworks
import Optimizers
import Tensors

/// One optimisation step: gradients of this rank's microbatches, their sum over all ranks in the fixed tree's order,
/// and the optimizer's step.
///
/// The initialiser makes everything that a step needs; a step allocates nothing.
public final class TrainingStep {
  /// The weights, a flat block of the network's layout: the same bits on every rank between steps.
  public let parameters: Buffer<Float>
  /// The optimizer that turns the summed gradient into a step.
  public let optimizer: any Optimizer
  /// The largest norm of the mean gradient: a longer one is scaled down to it. nil for no limit.
  public var clipNorm: Float?
  /// Whether the run may go on after a step that was not finite. If not, a rank steps its slice without waiting for the
  /// others' inspections.
  public var skipsNonFinite = true
  /// The times of this rank since ``resetTimes()``.
  public private(set) var times = PhaseTimes()
  /// The record of the step's parts, for a trace; nil for none.
  package var spans: RunSpans?
  /// The measurement of the gradient's noise; nil if the reduction shows no halves, or batches have none.
  package let noise: GradientNoise?
  /// The first of this rank's microbatches of the last step whose loss was not finite; nil if there is none.
  public private(set) var nonFiniteMicrobatch: Int?

  private let source: any GradientSource
  /// The source, if its layers may keep what they make of a step's weights.
  private let versioned: (any VersionedSource)?
  private let layout: ParameterLayout
  private let reduction: GradientReduction
  private let communicator: any Communicator
  private let passSums = MicrobatchSums(count: BatchSums.count)
  /// The ranges of the parameters whose gradient counts: those that are learnt.
  private let stepped: [Range<Int>]
  /// What lies between these: averages, and parameters that are frozen.
  private let unstepped: [Range<Int>]
  /// The optimizer, if it can show its results on the way.
  private let showing: (any ShowingOptimizer)?
  private let averages: RunningAverages
  private let perturbation: GradientPerturbation?

  /// A step by the gradients of `source`, of parameters in `layout`, over batches cut by `batches`. Collective. Throws
  /// ``CommunicationError``.
  ///
  /// - Parameter division: the parameters that each rank steps; `optimizer` has the state of this rank's.
  public convenience init(
    _ source: any GradientSource, layout: ParameterLayout, batches: BatchPlan, parameters: Buffer<Float>,
    optimizer: any Optimizer, division: StepDivision, communicator: any Communicator
  ) throws {
    try self.init(
      (source, nil), layout: layout, batches: batches, parameters: parameters, optimizer: optimizer,
      division: division, communicator: communicator)
  }

  /// The same with noise for the sum of the gradients, unless it is nil.
  package init(
    _ gradient: (source: any GradientSource, perturbation: GradientPerturbation?), layout: ParameterLayout,
    batches: BatchPlan, parameters: Buffer<Float>, optimizer: any Optimizer, division: StepDivision,
    communicator: any Communicator
  ) throws {
    let source = gradient.source
    perturbation = gradient.perturbation
    self.source = source
    versioned = source as? any VersionedSource
    self.layout = layout
    self.optimizer = optimizer
    self.parameters = parameters
    self.communicator = communicator
    stepped = layout.ranges(of: [.weight, .bias])
    unstepped = zip([0] + stepped.map(\.upperBound), stepped.map(\.lowerBound) + [layout.count]).map { $0..<$1 }
      .filter { !$0.isEmpty }
    showing = optimizer as? any ShowingOptimizer
    averages = RunningAverages(of: layout)
    // The noise of private training is added to the whole, so that the halves are of no use, and are nobody's business.
    noise =
      division.method == .lockstep && gradient.perturbation == nil ? GradientNoise(of: stepped, batches: batches) : nil
    reduction = try GradientReduction(
      count: layout.count + BatchSums.count,
      microbatchCounts: [batches.batch(0).count, batches.batch(batches.steps - 1).count],
      communicator: communicator, method: division.method, sharesMemory: division.sharesMemory,
      finishesSlices: division.isSliced, passMicrobatches: source.passMicrobatches)
  }

  /// Takes the step numbered `step` (from 1) over the samples at the batch's positions of `order`. Collective.
  ///
  /// If loss or gradient is not finite, the step is not taken. With ``skipsNonFinite`` false, weights and moments are
  /// undefined afterwards.
  ///
  /// - Parameter requests: the requests to this rank. If it holds no microbatch of a short batch, they are not passed
  ///   on.
  /// - Returns: the outcome, the same on every rank.
  /// - Throws: ``CommunicationError``.
  public func take(
    _ batch: Batch, of order: EpochOrder, step: Int, asking requests: RunRequests = []
  ) throws -> StepOutcome {
    let noise = noise.flatMap { $0.isDue(at: batch) ? $0 : nil }
    let plan = reduction.plan(microbatches: batch.count, showsHalves: noise != nil)
    let start = spans.map { _ in SpanRecorder.now } ?? 0
    let began = ContinuousClock.now
    nonFiniteMicrobatch = nil
    versioned?.weights = WeightsVersion()
    for (index, share) in plan.contributions.enumerated() {
      let microbatches = StepShare(share.microbatches, of: batch, order, step: step)
      differentiate(microbatches, share, asking: index == 0 ? requests : [])
      reduction.fold(share)
    }
    versioned?.weights = nil
    let computed = ContinuousClock.now
    if let spans { spans.recorder.record(spans.gradients, from: start, to: SpanRecorder.now) }
    let (total, isFinite, updating) = try reduceAndUpdate(
      plan, samples: batch.positions.count, step: step, showing: noise)
    noise?.endStep(wasTaken: isFinite)
    if let spans { spans.recorder.record(spans.step, from: start, to: SpanRecorder.now) }
    times.add(compute: computed - began + updating, reduction: .now - computed - updating)
    return StepOutcome(losses: total.batch.losses, isFinite: isFinite, requests: total.batch.requests)
  }

  /// Writes or adds the gradient of some of this rank's microbatches, and their losses, to their slot of the reduction.
  private func differentiate(
    _ microbatches: StepShare, _ share: ReductionPlan.Contribution, asking requests: RunRequests
  ) {
    communicator.entered(.compute, step: microbatches.step)
    let sum = Sum(reduction.slot(share.slot), parameters: layout.count)
    source.differentiate(microbatches, parameters: parameters, into: sum.gradient, share.accumulation)
    let losses = source.losses
    passSums.sum(
      over: Pass(samples: losses.count, microbatch: 1), into: sum.batch.values, share.accumulation
    ) { microbatch, values, accumulation in
      let index = microbatch.lowerBound
      BatchSums(values: values).record(losses[index], index == 0 ? requests : [], accumulation)
    }
    if let first = losses.firstIndex(where: { !$0.loss.isFinite }) {
      nonFiniteMicrobatch = nonFiniteMicrobatch ?? share.microbatches.lowerBound + first
    }
  }

  /// Adds all ranks' gradients and, if the sum is finite, takes the optimizer's step by its mean. `updating` is the
  /// time of the latter.
  private func reduceAndUpdate(
    _ plan: ReductionPlan, samples: Int, step: Int, showing noise: GradientNoise?
  ) throws -> (total: Sum, isFinite: Bool, updating: Duration) {
    communicator.entered(.reduction, step: step)
    var mark = spans.map { _ in SpanRecorder.now } ?? 0
    /// Records what was done since the last call.
    func lap(_ name: KeyPath<RunSpans, SpanRecorder.Name>) {
      guard let spans else { return }
      let now = SpanRecorder.now
      spans.recorder.record(spans[keyPath: name], from: mark, to: now)
      mark = now
    }
    let part = try reduction.sum(plan, showing: noise)
    let isFinite = try reduction.agree(
      part.isFinite, awaiting: clipNorm != nil ? .total : skipsNonFinite ? .opinions : .nothing)
    var (updating, isShown) = (Duration.zero, false)
    if isFinite {
      lap(\.reduction)
      let start = ContinuousClock.now
      let samples = perturbation?.samples ?? samples
      let scale =
        clipNorm.map { meanScale(reduction.awaitedTotal, in: stepped, samples: samples, clipNorm: $0) }
        ?? 1 / Float(samples)
      let block = 0..<parameters.count
      let (sums, range) = (part.floats[block], part.range.clamped(to: block))
      perturbation?.add(to: sums, in: range, step: step)
      // Before the optimizer, which may keep averages of all parameters as they stand after a step.
      averages.move(parameters, by: sums, in: range, samples: samples)
      if let showing, let shown = reduction.shownResults {
        showing.update(parameters, gradient: sums, in: range, scale: scale, step: step, showing: shown)
        show(unsteppedIn: range, at: shown)
        isShown = true
      } else {
        optimizer.update(parameters, gradient: sums, in: range, scale: scale, step: step)
      }
      updating = .now - start
      lap(\.optimizer)
    }
    let (total, isGood) = try reduction.spread(parameters, isShown: isShown)
    lap(\.reduction)
    return (Sum(total, parameters: layout.count), isGood, updating)
  }

  /// Copies the parameters in `range` that no optimizer steps to `shown`.
  private func show(unsteppedIn range: Range<Int>, at shown: Buffer<Float>) {
    for run in unstepped where run.overlaps(range) {
      let part = run.clamped(to: range)
      shown[part].copy(from: parameters[part])
    }
  }

  /// Sets ``times`` to zero.
  public func resetTimes() { times = PhaseTimes() }
}
