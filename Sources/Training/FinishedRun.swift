import Datasets
import NeuralNetworks
import Steps
import Tensors

/// A run at its end, with what it has learnt: for reports that look into the network.
public struct FinishedRun {
  /// The figures of the run.
  public let summary: TrainingSummary
  /// The network, planned for slices of ``Evaluation/slice`` samples or more.
  public let network: Network
  /// The weights that were tested: the averages if the run keeps some (``Recipe/ema``).
  public let parameters: Buffer<Float>
  /// The test data, as the network takes them.
  public let test: any Dataset
  /// The mistakes on the test data that the network is surest of, the surest first; empty if its loss is over no classes.
  public let mistakes: [Mistake]
  /// The counters of the run's final metrics on the test data, in their order (``RunOptions/finalMetrics``).
  public let counters: [[Int]]

  /// A run at its end, of these parts.
  public init(
    summary: TrainingSummary, network: Network, parameters: Buffer<Float>, test: any Dataset, mistakes: [Mistake],
    counters: [[Int]] = []
  ) {
    self.summary = summary
    self.network = network
    self.parameters = parameters
    self.test = test
    self.mistakes = mistakes
    self.counters = counters
  }
}
