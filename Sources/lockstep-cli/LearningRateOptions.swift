import ArgumentParser
import Lockstep

/// The search for a learning rate, in the place of a run.
struct LearningRateOptions: ParsableArguments {
  @Flag(
    help: """
      Trains some steps at learning rates that grow from 1e-7 to 10, prints the loss at each, and suggests a rate. Writes no \
      files; heeds all flags of the recipe.
      """)
  var lrFind = false

  @Option(help: "--lr-find: the most steps. (default: \(LearningRateSearch().steps))")
  var steps: Int?

  func validate() throws {
    guard lrFind || steps == nil else {
      throw ValidationError("--steps needs --lr-find; --max-steps ends a run after some steps")
    }
    if let fault = search?.fault { throw ValidationError(fault) }
  }

  /// The search that is asked for; nil if none is.
  var search: LearningRateSearch? { lrFind ? LearningRateSearch(steps: steps ?? LearningRateSearch().steps) : nil }

  /// The most lines of a printed curve.
  private static let lines = 25

  /// Prints `curve` and what follows from it.
  static func show(_ curve: LearningRateCurve) {
    print("learning rate       loss")
    let points = curve.points
    // As far apart as to show the last one too.
    let stride = max(1, (points.count + lines - 1) / lines)
    for (index, point) in points.enumerated() where (points.count - 1 - index) % stride == 0 {
      let (rate, loss) = (scientific(point.rate), fixed(point.loss, 4))
      print(padded(rate, 13) + padded(loss, 11))
    }
    if curve.hasDiverged { print("ended after \(points.count) steps, for the loss had grown too large") }
    guard let steepest = curve.steepest, let least = curve.least else {
      print("no learning rate is suggested: the loss did not fall; look at model and data, or give more --steps")
      return
    }
    print(
      "suggested: --learning-rate \(scientific(steepest)), at which the loss falls fastest, or \(scientific(least / 10)), a tenth "
        + "of the rate of the least loss")
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
