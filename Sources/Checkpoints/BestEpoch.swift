/// The epoch of a run after which the loss on the validation data was smallest so far.
public struct BestEpoch: Hashable, Sendable, Codable {
  /// The mean loss.
  public var loss: Double
  /// The epoch, from 1.
  public var epoch: Int
  /// The step at its end.
  public var step: Int

  /// An epoch, from 1, that ended at `step` with this loss.
  public init(loss: Double, epoch: Int, step: Int) {
    self.loss = loss
    self.epoch = epoch
    self.step = step
  }
}
