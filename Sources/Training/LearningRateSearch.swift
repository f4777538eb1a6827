import Collectives
import Datasets
import Kernels
import Optimizers
import Tensors

/// A range test of learning rates (Smith 2015, § 3.3): a short run in which the rate grows from step to step, and whose loss
/// shows which rates train.
///
/// It begins as a run of the recipe does, and keeps no files. It ends early once the loss diverges.
public struct LearningRateSearch: Sendable, CustomStringConvertible {
  /// The most steps, at least ``fewestSteps``.
  public var steps: Int
  /// The rate of the first step.
  public var lowest: Float = 1e-7
  /// The rate of the last step.
  public var highest: Float = 10

  /// The fewest steps that a curve can be read from.
  public static let fewestSteps = 20

  /// A search in up to `steps` steps.
  public init(steps: Int = 100) { self.steps = steps }

  /// The fault in these values, in one line; nil if there is none.
  public var fault: String? {
    if steps < Self.fewestSteps { return "\(Setting.searchSteps) \(steps) is less than \(Self.fewestSteps)" }
    guard lowest > 0, lowest < highest, highest.isFinite else {
      return "learning rates from \(lowest) to \(highest) are no range"
    }
    return nil
  }

  /// The values that the search follows from.
  public var description: String { "\(steps) steps from \(lowest) to \(highest)" }

  var schedule: Schedule { Schedule(growingTo: Double(highest) / Double(lowest), steps: steps) }

  /// Runs the search with `recipe`, except its own learning rate, schedule, warm-up and number of epochs. The curve is the
  /// same on every rank, and at any number of ranks. Its rates are those before ``Recipe/rateScaling``, as a recipe takes them.
  ///
  /// Collective. Throws ``TrainingError``, as ``Trainer`` does; if its control stops the search,
  /// ``TrainingError/Code/stopped``.
  ///
  /// - Parameter options: only their control and time limit count.
  public func run(
    _ recipe: Recipe, training: any Dataset, test: any Dataset, execution: Execution = Execution(),
    options: RunOptions = RunOptions(), on communicator: any Communicator = SoloCommunicator()
  ) throws -> LearningRateCurve {
    if let fault { throw TrainingError(.usage, fault) }
    var recipe = recipe
    recipe.learningRate = lowest
    var ownOptions = RunOptions()
    (ownOptions.control, ownOptions.maxTime, ownOptions.program) = (options.control, options.maxTime, options.program)
    ownOptions.search = self
    let trainer = try Trainer(
      recipe, training: training, test: test, execution: execution, options: ownOptions, on: communicator)
    do { return try trainer.traceLosses(self) } catch { throw TrainingError(error) }
  }
}

extension Trainer {
  /// Takes the steps of `search`, and returns the losses. Collective.
  fileprivate func traceLosses(_ search: LearningRateSearch) throws -> LearningRateCurve {
    // This thread may be another than that of the start.
    useDefaultFloatingPoint()
    var curve = LearningRateCurve()
    var order = EpochOrder(seed: recipe.seed, epoch: 0, count: batches.samples)
    while state.step < search.steps && !curve.hasDiverged {
      let batch = batches.batch(state.sampleOffset / batches.globalBatch)
      let outcome = try take(batch, of: order)
      state.step += 1
      guard outcome.requests.isDisjoint(with: .ending) else {
        throw TrainingError.agreed(
          .stopped, "stopped at step \(state.step) of the search for a learning rate; start it again for a result")
      }
      guard outcome.isFinite else {
        curve.diverge()
        break
      }
      let rate = Double(search.lowest) * search.schedule.factor(step: state.step)
      curve.add(rate: rate, loss: outcome.losses.meanLoss)
      state.sampleOffset = batch.positions.upperBound
      if state.sampleOffset == batches.samples {
        (state.epoch, state.sampleOffset) = (state.epoch + 1, 0)
        order.shuffle(epoch: state.epoch)
      }
    }
    return curve
  }
}
