import NeuralNetworks
import Steps
import Tensors

/// How an epoch went.
public struct EpochReport: Sendable {
  /// The data that an epoch may be evaluated on.
  public enum EvaluatedPart: Sendable {
    /// The test data.
    case test
    /// Samples of the training data that were set aside (``Recipe/validation``).
    case validation
  }

  /// Where it ended: the training loss and accuracy are the means over the epoch, with the weights as they changed.
  public let training: EpochProgress
  /// The data that the epoch was evaluated on.
  public let evaluated: EvaluatedPart
  /// The mean loss over these data, the test data if there are no others, with the weights at the end.
  public let testLoss: Double
  /// The accuracy on the same data, 0 to 1; nil where the loss has none.
  public let testAccuracy: Double?
  /// The scores of the metrics that the run was given (``RunOptions/metrics``).
  public let testScores: [Score]
  /// The seconds that the evaluation took.
  public let evaluationSeconds: Double
  /// Where the training's time went.
  public let time: TimeSplit
  /// The steps of the epoch that were not taken, for their loss or gradient was not finite.
  public let skippedSteps: Int
  /// The root of the mean squared norm of the batches' mean gradient, before it is clipped, over some of the epoch's steps;
  /// nil if none was measured: a batch is one microbatch, or the epoch shorter than a batch, or the reduction is MPI's.
  public let gradientNorm: Double?
  /// The gradient noise scale in samples (McCandlish et al. 2018), over the same steps; nil likewise, and if it is too large
  /// for the batch to be told.
  public let gradientNoiseScale: Double?
  /// The names and places of ``parameters``.
  public let layout: ParameterLayout
  /// The weights at the end of the epoch, as they are trained: not their averages (``Recipe/ema``). They are the run's own, which the
  /// next step changes: an observer copies what it keeps.
  public let parameters: Buffer<Float>
  /// The privacy that the weights have cost so far; nil of a run that is not private (``Recipe/privacy``).
  public let privacy: PrivacySpent?
  /// The round's clients; nil of a run that is not federated.
  public let round: RoundFigures?

  package init(
    training: EpochProgress, evaluated: EvaluatedPart, testLoss: Double, testAccuracy: Double?, testScores: [Score],
    evaluationSeconds: Double, time: TimeSplit, skippedSteps: Int, gradientNorm: Double?, gradientNoiseScale: Double?,
    layout: ParameterLayout, parameters: Buffer<Float>, privacy: PrivacySpent?, round: RoundFigures? = nil
  ) {
    self.training = training
    self.evaluated = evaluated
    self.testLoss = testLoss
    self.testAccuracy = testAccuracy
    self.testScores = testScores
    self.evaluationSeconds = evaluationSeconds
    self.time = time
    self.skippedSteps = skippedSteps
    self.gradientNorm = gradientNorm
    self.gradientNoiseScale = gradientNoiseScale
    self.layout = layout
    self.parameters = parameters
    self.privacy = privacy
    self.round = round
  }
}
