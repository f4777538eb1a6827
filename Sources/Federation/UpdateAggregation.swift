import Tensors

/// How the clients' updates of a round become one sum on every rank. What a round does differs in nothing else.
///
/// An update has the floats of the parameters' block, and with SCAFFOLD as many again. It has been clipped.
protocol UpdateAggregation: AnyObject {
  /// Begins a round, and forgets one that was begun and not summed.
  ///
  /// - Returns: the participants that this rank trains, by their places in the round, in the order in which it must.
  func begin(_ choice: RoundChoice, round: Int) -> [Int]

  /// Takes the update of the participant at `place`, which may be overwritten afterwards.
  func add(_ update: Buffer<Float>, of place: Int)

  /// Writes the sum of all updates, each times its client's weight, divided by the sum of the weights, or by what a private round divides by:
  /// on every rank the same mean. Collective. Called only if there are participants.
  ///
  /// - Returns: nil, or the reason why the round is lost.
  func mean(into mean: Buffer<Float>) throws -> String?
}
