import Checkpoints
import Collectives
import Datasets
import NeuralNetworks
import Steps
import Tensors

/// The loss and the metrics over a whole dataset, computed by all ranks together.
///
/// The data are cut into slices of a fixed size by position; the last may be shorter. Each rank evaluates its share of
/// the slices. Then all ranks gather the slices' sums and add them in the order of the data, so the figures are the
/// same at any number of ranks, to the bit. Every sample is counted once.
public final class Evaluation {
  /// The samples of a slice: enough for an efficient matrix product, few enough to share among many ranks.
  public static let slice = 32

  let network: Network
  package let data: any Dataset
  let communicator: any Communicator
  private let metrics: [any Metric]
  let feed: Feed

  /// An evaluation of `network` on `data`. The network must be planned for at least ``slice`` samples. `metrics` are
  /// counted beside those of a ``ClassificationReport``.
  public init(network: Network, data: any Dataset, communicator: any Communicator, metrics: [any Metric] = []) {
    self.network = network
    self.data = data
    self.communicator = communicator
    self.metrics = metrics
    feed = Feed(data, capacity: Self.slice)
  }

  /// The figures of an evaluation, the same on every rank.
  public struct Result: Sendable {
    /// The loss, the hits and the samples.
    public let sums: LossSums
    /// The part of the samples that is classified rightly; nil if the loss has none (``Loss/countsCorrect``).
    public let accuracy: Double?
    /// The report on the classes; nil if the loss is over none.
    public let report: ClassificationReport?
    /// The errors of predicted numbers; nil unless the loss is the mean squared error.
    public let errors: RegressionReport?
    /// The scores of the metrics that the evaluation was given.
    public let scores: [Score]
    /// The counters of these metrics, over all samples, in their order.
    public let counters: [[Int]]
    /// The mistakes that the network is surest of, the surest first, at most 24; empty if the loss is over no classes.
    public let mistakes: [Mistake]
  }

  /// Evaluates the whole dataset with the weights `parameters`. Collective.
  ///
  /// - Parameter beforeSlice: called before each slice of this rank's, because a whole evaluation may be too long to
  ///   wait for.
  /// - Returns: the figures, the same on every rank.
  /// - Throws: the error of `beforeSlice`, or ``TrainingError`` with 70 if a rank cannot be reached.
  public func run(_ parameters: Buffer<Float>, beforeSlice: () throws -> Void = {}) throws -> Result {
    let loss = network.loss
    let predictsNumbers = loss is MeanSquaredError
    let reported =
      (loss as? any ClassLoss).map(ClassificationReport.metrics) ?? (predictsNumbers ? [RegressionErrors()] : [])
    var counted = MetricCounters(reported + metrics)
    var mistakes = ConfidentMistakes()
    var mine: [UInt64] = []
    let slices = (data.count + Self.slice - 1) / Self.slice
    for slice in microbatches(of: slices, heldBy: communicator.rank, of: communicator.size) {
      communicator.entered(.evaluation, step: nil)
      try beforeSlice()
      let range = slice * Self.slice..<min((slice + 1) * Self.slice, data.count)
      let examples = feed.load(range)
      let outputs = network.outputs(examples, parameters: parameters)
      let sums = loss.evaluate(outputs, examples, gradient: nil)
      let predictions = Predictions(outputs: outputs, examples: examples, loss: loss, first: range.lowerBound)
      counted.count(predictions)
      mistakes.look(at: predictions)
      mine += [sums.loss.bitPattern, UInt64(sums.correct), UInt64(sums.samples)]
    }
    // First how many words the sums are: of mistakes a rank may have any number.
    mine = [UInt64(mine.count)] + mine + counted.words + mistakes.words
    var total = LossSums()
    var all = MetricCounters(reported + metrics)
    mistakes = ConfidentMistakes()
    for message in try communicating({ try communicator.gather(words: mine) }) {
      let sums = Int(message[0])
      let words = Array(message.dropFirst())
      all.add(words[sums..<sums + all.count])
      mistakes.add(words[(sums + all.count)...])
      for index in stride(from: 0, to: sums, by: 3) {
        total += LossSums(
          loss: Double(bitPattern: words[index]), correct: Int(words[index + 1]), samples: Int(words[index + 2]))
      }
    }
    let report = (loss as? any ClassLoss).map {
      ClassificationReport(Array(all.counters.prefix(reported.count)), loss: $0)
    }
    let own = Array(all.counters.dropFirst(reported.count))
    return Result(
      sums: total, accuracy: loss.countsCorrect ? total.accuracy : nil, report: report,
      errors: predictsNumbers ? RegressionReport(all.counters[0]) : nil,
      scores: zip(metrics, own).flatMap { $0.scores($1) }, counters: own, mistakes: mistakes.mistakes)
  }
}
