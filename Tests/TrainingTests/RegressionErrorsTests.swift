import Foundation
import Lockstep
import PeerPython
import Testing

/// The errors of predicted numbers against scikit-learn's, and the same whatever the cut.
@Suite struct RegressionErrorsTests {
  private static func report(
    _ outputs: [Float], _ values: [Float], slice: Int = .max, isReversed: Bool = false
  ) -> RegressionReport {
    let size = min(slice, max(values.count, 1))
    let starts = Array(stride(from: 0, to: values.count, by: size))
    var total = MetricCounters([RegressionErrors()])
    for start in isReversed ? starts.reversed() : starts {
      let range = start..<min(start + size, values.count)
      var part = MetricCounters([RegressionErrors()])
      part.count(
        Predictions(
          outputs: Buffer(outputs[range]),
          examples: Examples(
            samples: range.count, inputs: Buffer(count: range.count), labels: Buffer(count: 0),
            values: Buffer(values[range])), loss: MeanSquaredError(outputs: 1)))
      total.add(part.words[...])
    }
    return RegressionReport(total.counters[0])
  }

  /// Numbers of all sizes: large ones that hide small ones where they are added in another order.
  private static func made(_ count: Int, scale: Float) -> (outputs: [Float], values: [Float]) {
    var random = Philox(seed: 3, purpose: .augmentation, stream: 0)
    let values = (0..<count).map { _ in (random.nextUniform() - 0.3) * scale * (random.next(below: 9) == 0 ? 1000 : 1) }
    return (values.map { $0 + (random.nextUniform() - 0.5) * scale * 100 }, values)
  }

  @Test(arguments: [1, 1e6, 1e-6, 1e15] as [Float])
  func everyScoreIsScikitLearns(_ scale: Float) throws {
    guard let python = try PeerPython("scikit-learn", packages: ["scikit-learn"], modules: ["sklearn.metrics"]) else {
      return
    }
    let (outputs, values) = Self.made(5001, scale: scale)
    let scratch = try Scratch()
    try zip(outputs, values).map { "\($0),\($1)\n" }.joined()
      .write(toFile: "\(scratch.path)/numbers.csv", atomically: true, encoding: .utf8)
    let script = """
      import json, sys, numpy
      from sklearn import metrics
      table = numpy.loadtxt(sys.argv[1], delimiter=",").astype(numpy.float32).astype(float)
      print(json.dumps({"mse": metrics.mean_squared_error(table[:, 1], table[:, 0]),
          "mae": metrics.mean_absolute_error(table[:, 1], table[:, 0]), "r2": metrics.r2_score(table[:, 1], table[:, 0])}))
      """
    let result = try python.run(["-c", script, "\(scratch.path)/numbers.csv"])
    #expect(result.status == 0, "\(result.output)")
    let theirs = try JSONDecoder().decode(RegressionReport.self, from: Data(result.output.utf8))
    let ours = Self.report(outputs, values)
    for (a, b) in [(ours.mse, theirs.mse), (ours.mae, theirs.mae), (1 - ours.r2, 1 - theirs.r2)] {
      #expect(abs(a - b) <= 1e-11 * abs(b), "\(ours) \(theirs)")
    }
    for slice in [1, 7, 64, 500] {
      #expect(Self.report(outputs, values, slice: slice) == ours)
      #expect(Self.report(outputs, values, slice: slice, isReversed: true) == ours, "the order of the slices")
    }
  }

  @Test func edges() {
    #expect(Self.report([1, 2], [1, 2]) == Self.report([1, 2], [1, 2], slice: 1))
    #expect(Self.report([1, 2], [1, 2]).r2 == 1 && Self.report([3, 3], [3, 3]).r2 == 1)
    // Nothing varies, and the prediction is wrong: 0, as scikit-learn has it.
    #expect(Self.report([3, 4], [3, 3]).r2 == 0 && Self.report([3, 4], [3, 3]).mse == 0.5)
    #expect(Self.report([.nan, 1], [1, 1]).mse.isNaN && Self.report([.infinity, 1], [1, 2]).mae.isNaN)
    #expect(Self.report([], []).mse.isNaN && Self.report([], []).r2.isNaN)
    // Numbers of all sizes in one sum.
    let report = Self.report([0, 0, 0, 0], [1e30, 1, -1e30, 1e-30])
    #expect(report.mae == Double(Float(1e30)) / 2 + 0.25)
    let tiny = Float.leastNonzeroMagnitude
    #expect(Self.report([tiny], [0]).mse == Double(tiny) * Double(tiny))
    let huge = Float.greatestFiniteMagnitude
    #expect(Self.report([huge], [-huge]).mse == 4 * Double(huge) * Double(huge))
  }

  @Test func classWeightsAreRead() {
    #expect(ClassWeights("balanced") == .balanced && ClassWeights("1,0.5,2e1") == .each([1, 0.5, 20]))
    for text in ["", "1,", ",1", "1;2", "heavy", "1, 2"] { #expect(ClassWeights(text) == nil, "\(text)") }
  }
}
