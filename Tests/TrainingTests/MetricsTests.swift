import Foundation
import Lockstep
import PeerPython
import Testing

/// Metrics against scikit-learn's, and the same at any number of ranks.
@Suite struct MetricsTests {
  private static let loss = SoftmaxCrossEntropy(classes: 7, firstLabel: 3)

  /// Outputs and labels that follow from a seed: no sample is of the sixth class, the seventh does not occur at all.
  private static func made(_ samples: Int) -> (outputs: Buffer<Float>, examples: Examples) {
    let outputs = Buffer<Float>(count: samples * 7)
    let labels = Buffer<Int32>(count: samples)
    var state: UInt64 = 42
    func next() -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 40)
    }
    for sample in 0..<samples {
      labels[sample] = Int32(3 + next() % 5)
      for index in 0..<7 { outputs[sample * 7 + index] = Float(next() % 4096) / 1024 }
      outputs[sample * 7 + 6] = -9
      // Right more often than not.
      outputs[sample * 7 + Int(labels[sample]) - 3] += 1.5
    }
    return (outputs, Examples(inputs: Buffer(count: samples), labels: labels))
  }

  /// The report of these outputs, counted in parts of `slice` samples and added up.
  private static func report(_ outputs: Buffer<Float>, _ examples: Examples, slice: Int) -> ClassificationReport {
    var total = MetricCounters(ClassificationReport.metrics(of: loss))
    for start in stride(from: 0, to: examples.samples, by: slice) {
      let range = start..<min(start + slice, examples.samples)
      var part = MetricCounters(ClassificationReport.metrics(of: loss))
      part.count(
        Predictions(
          outputs: outputs[range.lowerBound * 7..<range.upperBound * 7],
          examples: Examples(inputs: examples.inputs[range], labels: examples.labels[range]), loss: loss))
      total.add(part.words[...])
    }
    return ClassificationReport(total.counters, loss: loss)
  }

  @Test func `Every score is scikit-learn's`() throws {
    guard let python = try PeerPython("scikit-learn", packages: ["scikit-learn"], modules: ["sklearn.metrics"]) else {
      return
    }
    let (outputs, examples) = Self.made(10_001)
    let ours = Self.report(outputs, examples, slice: 64)
    let scratch = try Scratch()
    var rows = ""
    for sample in 0..<examples.samples {
      let values = (0..<7).map { "\(outputs[sample * 7 + $0])" }
      rows += "\(examples.labels[sample]),\(values.joined(separator: ","))\n"
    }
    try rows.write(toFile: "\(scratch.path)/outputs.csv", atomically: true, encoding: .utf8)
    let script = """
      import json, sys, warnings
      import numpy
      from sklearn import metrics
      warnings.simplefilter("ignore")
      table = numpy.loadtxt(sys.argv[1], delimiter=",")
      labels, logits = table[:, 0].astype(int), table[:, 1:]
      exponentials = numpy.exp(logits - logits.max(axis=1, keepdims=True))
      probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
      predicted = logits.argmax(axis=1) + 3
      names = list(range(3, 10))
      scores = lambda **how: [list(map(float, numpy.ravel(values))) for values in
          metrics.precision_recall_fscore_support(labels, predicted, **how)[:3]]
      print(json.dumps({
          "accuracy": float(metrics.accuracy_score(labels, predicted)), "classes": scores(labels=names),
          "macro": scores(average="macro"), "micro": scores(average="micro"),
          "logLoss": float(metrics.log_loss(labels, probabilities, labels=names)),
          "confusion": metrics.confusion_matrix(labels, predicted, labels=names).tolist()}))
      """
    let result = try python.run(["-c", script, "\(scratch.path)/outputs.csv"])
    #expect(result.status == 0, "\(result.output)")
    struct Theirs: Decodable {
      var accuracy: Double
      var classes: [[Double]]
      var macro: [[Double]]
      var micro: [[Double]]
      var logLoss: Double
      var confusion: [[Int]]
    }
    let theirs = try JSONDecoder().decode(Theirs.self, from: Data(result.output.utf8))
    func close(_ a: Double, _ b: Double, _ tolerance: Double = 1e-12) -> Bool { abs(a - b) <= tolerance }
    #expect(ours.confusion == theirs.confusion)
    #expect(close(ours.accuracy, theirs.accuracy))
    #expect(close(ours.logLoss, theirs.logLoss, 1e-6), "\(ours.logLoss) \(theirs.logLoss)")
    for (row, index) in zip(ours.classes, 0...) {
      #expect(row.name == "\(3 + index)")
      #expect(row.samples == theirs.confusion[index].reduce(0, +))
      let values = [row.precision, row.recall, row.f1]
      #expect(zip(values, theirs.classes).allSatisfy { close($0, $1[index]) }, "class \(row.name): \(values)")
    }
    for (average, values) in [(ours.macro, theirs.macro), (ours.micro, theirs.micro)] {
      #expect(zip([average.precision, average.recall, average.f1], values).allSatisfy { close($0, $1[0]) })
    }
  }

  @Test func `The cut into slices changes nothing, to the bit`() {
    let (outputs, examples) = Self.made(1_001)
    let whole = Self.report(outputs, examples, slice: 1_001)
    for slice in [1, 7, 64, 500] { #expect(Self.report(outputs, examples, slice: slice) == whole) }
  }

  /// By hand: two samples in the bin of 0.9 to 1, one right; one in the bin of 0.6 to 0.7, right.
  @Test func `The calibration error of three samples`() {
    let loss = SigmoidCrossEntropy(positive: 1)
    func logit(_ probability: Double) -> Float { Float(log(probability / (1 - probability))) }
    let outputs = Buffer<Float>(count: 3)
    let labels = Buffer<Int32>(count: 3)
    for (index, (probability, label)) in [(0.95, 1), (0.05, 1), (0.65, 1)].enumerated() {
      outputs[index] = logit(probability)
      labels[index] = Int32(label)
    }
    let metric = CalibrationError(bins: 10)
    var counters = Array(repeating: 0, count: metric.counterCount)
    metric.count(
      Predictions(outputs: outputs, examples: Examples(inputs: Buffer(count: 3), labels: labels), loss: loss),
      into: &counters)
    let error = metric.scores(counters)[0].value
    #expect(abs(error - (abs(1 - 1.9) + abs(1 - 0.65)) / 3) < 1e-6, "\(error)")
  }

  @Test func `More classes than a matrix holds have the same scores`() {
    let (small, large) = (ConfusionMatrix(classes: 256), ConfusionMatrix(classes: 257))
    #expect(small.isWhole && !large.isWhole)
    func scores(_ matrix: ConfusionMatrix) -> [Score] {
      let loss = SoftmaxCrossEntropy(classes: matrix.classes)
      let samples = 500
      let outputs = Buffer<Float>(count: samples * matrix.classes)
      let labels = Buffer<Int32>(count: samples)
      for sample in 0..<samples {
        labels[sample] = Int32(sample % 200)
        outputs[sample * matrix.classes + sample * 3 % 200] = 1
      }
      var counters = Array(repeating: 0, count: matrix.counterCount)
      matrix.count(
        Predictions(outputs: outputs, examples: Examples(inputs: Buffer(count: samples), labels: labels), loss: loss),
        into: &counters)
      return matrix.scores(counters)
    }
    #expect(scores(small) == scores(large))
  }

  /// A data set whose size no number of ranks divides, evaluated by 1, 2, 3 and 4 ranks; and a metric of one's own beside the report.
  @Test func `10,001 samples are counted once each at any number of ranks`() throws {
    struct Labels: Metric {
      var counterCount: Int { 2 }
      func count(_ predictions: Predictions, into counters: inout [Int]) {
        counters[0] += predictions.examples.samples
        for sample in 0..<predictions.examples.samples { counters[1] += Int(predictions.examples.labels[sample]) }
      }
      func scores(_ counters: [Int]) -> [Score] {
        [Score("samples", Double(counters[0])), Score("mean_label", Double(counters[1]) / Double(counters[0]))]
      }
    }
    let count = 10_001
    let data = try InMemoryDataset(
      inputs: Buffer((0..<count * 4).map { Float(($0 * 2_654_435_761) >> 9 & 0xFF) / 255 }), shape: [2, 2, 1],
      labels: Buffer((0..<count).map { Int32($0 * 7 % 10) }))
    var found: [ClassificationReport] = []
    for ranks in 1...4 {
      let results = try InProcessCommunicator.run(size: ranks) { communicator in
        let network = try Network(
          Model.named("mlp:4-6-10", input: [2, 2, 1], outputs: 10), loss: SoftmaxCrossEntropy(classes: 10),
          capacity: Evaluation.slice)
        let parameters = Buffer<Float>(count: network.layout.count)
        network.initialise(parameters, seed: 5)
        return try Evaluation(network: network, data: data, communicator: communicator, metrics: [Labels()])
          .run(parameters)
      }
      for result in results {
        let report = try #require(result.report)
        #expect(report.classes.reduce(0) { $0 + $1.samples } == count)
        #expect(report.confusion?.joined().reduce(0, +) == count)
        #expect(report.accuracy == Double(result.sums.correct) / Double(result.sums.samples))
        #expect(result.scores.map(\.name) == ["samples", "mean_label"])
        #expect(result.scores[0].value == Double(count))
        found.append(report)
      }
    }
    #expect(found.count == 10)
    #expect(found.allSatisfy { $0 == found[0] }, "the ranks disagree")
  }
}
