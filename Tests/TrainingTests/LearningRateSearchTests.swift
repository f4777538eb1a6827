import Foundation
import Lockstep
import Testing

/// Range tests of learning rates: the smoothed curve, its end, what it suggests, and the steps that make it.
@Suite struct LearningRateSearchTests {
  private static func curve(_ losses: [Double]) -> LearningRateCurve {
    var curve = LearningRateCurve()
    for (index, loss) in losses.enumerated() where !curve.hasDiverged {
      curve.add(rate: pow(10, Double(index) / 10), loss: loss)
    }
    return curve
  }

  /// The averages of a script:
  ///
  ///     avg, beta = 0.0, 0.98
  ///     for k, loss in enumerate([2.0, 1.0, 4.0, 0.5], 1):
  ///         avg = beta * avg + (1 - beta) * loss
  ///         print(avg / (1 - beta ** k))
  @Test func lossesAreSmoothedAsByFastai() {
    let expected = [2.0, 1.4949494949494933, 2.3468915793769543, 1.871083823338464]
    for (point, loss) in zip(Self.curve([2, 1, 4, 0.5]).points, expected) { #expect(abs(point.loss - loss) < 1e-12) }
  }

  @Test func theCurveEndsAtFourTimesTheLeastLoss() {
    let curve = Self.curve([1, 1, 1] + Array(repeating: 20, count: 50))
    #expect(curve.hasDiverged)
    let last = curve.points.count - 1
    #expect(curve.points[last].loss > 4 && curve.points[last - 1].loss <= 4)
    #expect(!Self.curve(Array(repeating: 1, count: 50) + [3]).hasDiverged)
    for bad in [Double.nan, .infinity] {
      let curve = Self.curve([1, 1, bad, 1])
      #expect(curve.hasDiverged && curve.points.count == 2)
    }
  }

  /// Losses that stand, fall most steeply around one rate, and rise again.
  @Test func ratesAreSuggestedWhereTheLossFalls() throws {
    let losses = (0..<100).map { index -> Double in
      let place = Double(index)
      return 2 - 1.5 / (1 + exp(-(place - 50) / 3)) + (place > 80 ? pow(1.5, place - 80) : 0)
    }
    let curve = Self.curve(losses)
    #expect(curve.hasDiverged)
    let (steepest, least) = try (#require(curve.steepest), #require(curve.least))
    // Smoothing lags, so the smoothed loss falls fastest behind the step, and is least where the rise begins.
    #expect((50.0...62).contains(log10(steepest) * 10), "\(log10(steepest) * 10)")
    #expect((75.0...90).contains(log10(least) * 10), "\(log10(least) * 10)")
    let rising = Self.curve((0..<100).map { 1 + Double($0) / 100 })
    #expect(rising.steepest == nil && rising.least == nil)
    #expect(Self.curve([]).steepest == nil && Self.curve([1]).least == nil)
  }

  @Test func theCurveIsTheSameOnAnyRanks() throws {
    var run = try SmallRun()
    run.recipe.optimizer = SGD(momentum: 0.9)
    run.recipe.validation = 0.25
    run.recipe.warmup = 3
    let search = LearningRateSearch(steps: 60)
    var curves: [[LearningRateCurve.Point]] = []
    for ranks in 1...4 {
      for sharesMemory in [true, false] {
        run.execution.sharesMemory = sharesMemory
        curves += try InProcessCommunicator.run(size: ranks) { [run] communicator in
          var options = run.options
          options.control = RunControl()
          return try search.run(
            run.recipe, training: run.training, test: run.test, execution: run.execution, options: options,
            on: communicator
          ).points
        }
      }
    }
    #expect(curves.allSatisfy { $0 == curves[0] } && curves[0].count > 30)
    #expect(abs(curves[0][0].rate / 1e-7 - 1) < 1e-6)
    // Not a checkpoint, nor a directory.
    #expect(!FileManager.default.fileExists(atPath: run.options.directory ?? ""))
    // The rates grow by one factor.
    let ratio = curves[0][1].rate / curves[0][0].rate
    #expect(abs(log10(ratio) - 8.0 / 59) < 1e-6)
    #expect(zip(curves[0], curves[0].dropFirst()).allSatisfy { abs($1.rate / $0.rate / ratio - 1) < 1e-9 })
  }

  /// The first loss is that of a run at the first rate, and the rates are those that are stepped with: a run whose rates are
  /// too small to matter stands still, and one with larger ones does not.
  @Test func theRatesAreSteppedWith() throws {
    let run = try SmallRun()
    var search = LearningRateSearch(steps: 30)
    search.lowest = 1e-20
    search.highest = 1e-19
    let still = try search.run(run.recipe, training: run.training, test: run.test)
    search.lowest = 1e-3
    search.highest = 1e-1
    let moving = try search.run(run.recipe, training: run.training, test: run.test)
    #expect(still.points[0].loss == moving.points[0].loss)
    #expect(still.points.count == 30 && moving.points[10].loss != still.points[10].loss)
    #expect(try #require(moving.points.map(\.loss).min()) < still.points.map(\.loss).min() ?? 0)
    search.highest = 1e30
    #expect(try search.run(run.recipe, training: run.training, test: run.test).hasDiverged)
  }

  @Test func aSearchIsStoppedAndRefused() throws {
    let run = try SmallRun()
    var options = RunOptions()
    options.control = RunControl()
    options.control.ask(.stop)
    let stopped = #expect(throws: TrainingError.self) {
      try LearningRateSearch().run(run.recipe, training: run.training, test: run.test, options: options)
    }
    #expect(stopped?.code == .stopped && stopped?.description.contains("learning rate") == true)
    let short = #expect(throws: TrainingError.self) {
      try LearningRateSearch(steps: 3).run(run.recipe, training: run.training, test: run.test)
    }
    #expect(short?.code == .usage && short?.description.contains("searchSteps 3") == true)
  }
}
