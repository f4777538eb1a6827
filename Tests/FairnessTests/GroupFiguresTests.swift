import Foundation
import Lockstep
import PeerPython
import Testing

/// Figures of groups against Fairlearn's, and the same however the samples are shared out.
@Suite struct GroupFiguresTests {
  /// Outputs, labels and groups that follow from a seed. The groups differ in how often they are told rightly, and one is small.
  private struct Made {
    let loss: any ClassLoss
    let outputs: Buffer<Float>
    let examples: Examples
    let groups: [String]

    init(_ loss: any ClassLoss, labels: [Int32], samples: Int) {
      (self.loss, outputs) = (loss, Buffer(count: samples * loss.outputs))
      let own = Buffer<Int32>(count: samples)
      var state: UInt64 = 7
      func next() -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 40)
      }
      var groups: [String] = []
      for sample in 0..<samples {
        let group = next() % 50 == 0 ? 3 : next() % 3
        groups.append(["north", "south", "é, \"east\"", "few"][group])
        own[sample] = labels[next() % labels.count]
        for index in 0..<loss.outputs { outputs[sample * loss.outputs + index] = Float(next() % 4096) / 1024 - 2 }
        let right = loss.classIndex(of: own[sample])
        let push = Float(group) / 2 + 0.2
        if loss.outputs == 1 {
          outputs[sample] += right == 1 ? push : -push
        } else {
          outputs[sample * loss.outputs + right] += push
        }
      }
      (examples, self.groups) = (Examples(inputs: Buffer(count: samples), labels: own), groups)
    }

    /// The column of the groups.
    var column: CSVColumn {
      let texts = Set(groups).sorted()
      return CSVColumn(
        name: "part", values: groups.map { group in Double(texts.firstIndex(of: group) ?? 0) }, texts: texts)
    }

    /// The report of `figures`, counted in parts of `slice` samples by several ranks and added up.
    func report(_ figures: GroupFigures, slice: Int) -> GroupReport {
      var total = MetricCounters([figures])
      for start in Swift.stride(from: 0, to: examples.samples, by: slice) {
        let range = start..<min(start + slice, examples.samples)
        var part = MetricCounters([figures])
        part.count(
          Predictions(
            outputs: outputs[range.lowerBound * loss.outputs..<range.upperBound * loss.outputs],
            examples: Examples(inputs: examples.inputs[range], labels: examples.labels[range]), loss: loss, first: start
          ))
        total.add(part.words[...])
      }
      return figures.report(total.counters[0])
    }

    /// A line a sample: its class, the predicted class, its probability of each class, and its group.
    var lines: String {
      let seen = Predictions(outputs: outputs, examples: examples, loss: loss).classes
      guard let seen else { return "" }
      return (0..<examples.samples).map { sample in
        let probabilities = (0..<loss.classes).map { "\(seen.probability(of: $0, for: sample))" }
        let fields = ["\(seen.own[sample])", "\(seen.predicted[sample])"] + probabilities
        return fields.joined(separator: "\t") + "\t\(groups[sample])\n"
      }.joined()
    }
  }

  /// Both of two classes, as a sigmoid and as a softmax; more of them; and each class as a group.
  private static let cases: [(what: String, loss: any ClassLoss, labels: [Int32], isByClass: Bool)] = [
    ("sigmoid", SigmoidCrossEntropy(positive: 4), [4, 4, 5], false),
    ("softmax of two", SoftmaxCrossEntropy(classes: 2, firstLabel: 0), [0, 0, 1], false),
    ("softmax of six", SoftmaxCrossEntropy(classes: 6, firstLabel: 3), [3, 4, 5, 6, 7], false),
    ("classes", SoftmaxCrossEntropy(classes: 6, firstLabel: 3), [3, 4, 4, 5, 6, 7], true),
  ]

  @Test(arguments: cases.indices) func `Figures are Fairlearn's`(_ index: Int) throws {
    guard let python = try PeerPython("fairlearn", packages: ["fairlearn"], modules: ["fairlearn.metrics", "pandas"])
    else { return }
    let (what, loss, labels, isByClass) = Self.cases[index]
    let made = Made(loss, labels: labels, samples: 3001)
    let groups = isByClass ? SampleGroups.classes : try SampleGroups(made.column)
    let report = made.report(GroupFigures(groups, of: loss, replicates: 20), slice: 64)
    #expect(report.groups.count == (isByClass ? 5 : 4) && report.samples == 3001)
    let scratch = try Scratch()
    try made.lines.write(toFile: "\(scratch.path)/lines.tsv", atomically: true, encoding: .utf8)
    try GroupsFile(step: 1, groups: [report]).write(to: "\(scratch.path)/groups.json")
    let result = try python.run([
      "-c", Self.script, scratch.path, "\(loss.classes)", isByClass ? "classes" : loss.classes == 2 ? "binary" : "many",
    ])
    #expect(result.status == 0, "\(what): \(result.output)")
  }

  /// Reads the predictions and our report, and compares all that Fairlearn has with it.
  private static let script = """
    import csv, json, sys, warnings
    import numpy, pandas
    import sklearn.metrics as skm
    from fairlearn.metrics import *
    warnings.simplefilter("ignore")
    path, classes, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    rows = [line.rstrip("\\n").split("\\t") for line in open(path + "/lines.tsv")]
    own, predicted = (numpy.array([int(row[i]) for row in rows]) for i in (0, 1))
    probabilities = numpy.array([[float(p) for p in row[2:2 + classes]] for row in rows])
    groups = numpy.array([str(o) if kind == "classes" else row[-1] for o, row in zip(own, rows)])
    loss = -numpy.log(probabilities[range(len(own)), own])
    ours = json.load(open(path + "/groups.json"))["groups"][0]

    def same(a, b, what):
        assert abs(a - b) < 1e-9 * max(1, abs(b)), (what, a, b)

    def mean_rate(y_true, y_pred):
        rates = [false_positive_rate((y_true == c) * 1, (y_pred == c) * 1) for c in numpy.union1d(y_true, y_pred)]
        return numpy.mean(rates)

    metrics = {"accuracy": skm.accuracy_score, "log_loss": lambda y_true, y_pred, loss: numpy.mean(loss)}
    if kind == "binary":
        metrics |= {"precision": lambda a, b: skm.precision_score(a, b, zero_division=0), "recall": true_positive_rate,
                    "false_positive_rate": false_positive_rate, "selection_rate": selection_rate}
    elif kind == "many":
        metrics |= {"precision": lambda a, b: skm.precision_score(a, b, average="macro", zero_division=0),
                    "recall": lambda a, b: skm.recall_score(a, b, average="macro", zero_division=0),
                    "false_positive_rate": mean_rate}
    else:
        metrics |= {"recall": skm.accuracy_score}
    frame = MetricFrame(metrics=metrics, y_true=own, y_pred=predicted, sensitive_features=groups,
                        sample_params={"log_loss": {"loss": loss}})
    names = [g["name"] for g in ours["groups"]]
    if kind == "classes":
        # Named by their labels, which begin at 3.
        names = [str(int(name) - 3) for name in names]
    assert sorted(names) == sorted(frame.by_group.index), (names, frame.by_group.index)
    summaries = {
        "overall": frame.overall, "minimum": frame.group_min(), "maximum": frame.group_max(),
        "difference": frame.difference(method="between_groups"), "ratio": frame.ratio(method="between_groups"),
        "difference_to_overall": frame.difference(method="to_overall"),
        "ratio_to_overall": frame.ratio(method="to_overall"),
    }
    for metric in metrics:
        for name, group in zip(names, ours["groups"]):
            # Float probabilities have one logarithm here and another there, to a few 2^-32.
            same(group["figures"][metric]["value"], frame.by_group[metric][name], (name, metric))
            assert group["samples"] == (groups == name).sum()
        for summary, theirs in summaries.items():
            if kind == "classes" and metric == "recall" and "verall" in summary:
                # Over all classes it is their mean.
                continue
            same(ours[summary][metric]["value"], theirs[metric], (summary, metric))
    if kind == "binary":
        for key, method in (("fairness", "between_groups"), ("fairness_to_overall", "to_overall")):
            for name in ("demographic_parity_difference", "demographic_parity_ratio", "equalized_odds_difference", "equalized_odds_ratio"):
                theirs = globals()[name](own, predicted, sensitive_features=groups, method=method)
                same(ours[key][name]["value"], theirs, (key, name))
    else:
        assert "fairness" not in ours
    if kind == "classes":
        for name, group in zip(names, ours["groups"]):
            c = int(name)
            same(group["figures"]["precision"]["value"], skm.precision_score(own == c, predicted == c), "precision")
            same(group["figures"]["false_positive_rate"]["value"], false_positive_rate((own == c) * 1, (predicted == c) * 1), "fpr")
            same(group["figures"]["selection_rate"]["value"], (predicted == c).mean(), "selection")
        same(ours["overall"]["recall"]["value"], skm.recall_score(own, predicted, average="macro"), "macro recall")
    """

  /// Whoever counts a sample, and with whichever others: figures, intervals and all.
  @Test(arguments: cases.indices) func `Any division of the samples gives the same report`(_ index: Int) throws {
    let (what, loss, labels, isByClass) = Self.cases[index]
    let made = Made(loss, labels: labels, samples: 301)
    let figures = GroupFigures(isByClass ? .classes : try SampleGroups(made.column), of: loss, replicates: 100)
    let whole = made.report(figures, slice: 301)
    for slice in [1, 7, 32, 300] { #expect(made.report(figures, slice: slice) == whole, "\(what)") }
    // Another seed has other replicates, and the same figures.
    let other = made.report(
      GroupFigures(figures.groups, of: loss, replicates: 100, seed: 1), slice: 32)
    #expect(other.overall.accuracy?.value == whole.overall.accuracy?.value && other != whole)
  }

  /// The interval of a part of n samples is about ±1.96 √(p (1 − p) / n), and that of a difference of two groups ±1.96 √(Σ p (1 − p) / n).
  @Test func `Intervals are as wide as they must be`() throws {
    let made = Made(SigmoidCrossEntropy(positive: 4), labels: [4, 4, 5], samples: 4000)
    let report = made.report(GroupFigures(try SampleGroups(made.column), of: made.loss), slice: 64)
    for (estimate, samples) in report.groups.map({ ($0.figures.accuracy, $0.samples) }) + [
      (report.overall.accuracy, 4000)
    ] {
      let estimate = try #require(estimate)
      let (low, high) = (try #require(estimate.low), try #require(estimate.high))
      let expected = 2 * 1.96 * (estimate.value * (1 - estimate.value) / Double(samples)).squareRoot()
      #expect(abs((high - low) / expected - 1) < 0.12, "\(estimate) of \(samples), not \(expected)")
      #expect(low <= estimate.value && estimate.value <= high)
    }
  }

  /// With too many counters there are figures, and no intervals.
  @Test func `Many groups have no intervals`() throws {
    let loss = SoftmaxCrossEntropy(classes: 3000, firstLabel: 0)
    let figures = GroupFigures(.classes, of: loss)
    #expect(figures.replicates == 0 && figures.counterCount == 12_000)
    let examples = Examples(inputs: Buffer(count: 2), labels: Buffer([5, 7]))
    let outputs = Buffer<Float>(count: 6000)
    outputs[5] = 1
    var counters = MetricCounters([figures])
    counters.count(Predictions(outputs: outputs, examples: examples, loss: loss))
    let report = figures.report(counters.counters[0])
    #expect(report.groups.map(\.name) == ["5", "7"] && report.difference.recall == Estimate(1, replicates: []))
    #expect(GroupTable(report).text.contains("intervals") == false)
  }

  /// A group without positive samples, and one of a single sample, are warned of; no line is wider than 80 columns.
  @Test func `What the figures hide is said`() throws {
    let loss = SigmoidCrossEntropy(positive: 1)
    let examples = Examples(inputs: Buffer(count: 3), labels: Buffer([0, 1, 1]))
    let column = CSVColumn(
      name: "kind", values: [0, 1, 1], texts: ["a\u{202E}b", String(repeating: "long ", count: 9)])
    let figures = GroupFigures(try SampleGroups(column), of: loss)
    var counters = MetricCounters([figures])
    counters.count(Predictions(outputs: Buffer([-1, 1, -1]), examples: examples, loss: loss))
    let report = figures.report(counters.counters[0])
    #expect(report.warnings.count == 3 && report.groups[0].figures.recall?.value == 0)
    #expect(
      report.fairness?.equalizedOddsDifference?.value == 0.5 && report.fairness?.demographicParityRatio?.value == 0)
    let lines = GroupTable(report).text.split(separator: "\n")
    #expect(lines.allSatisfy { $0.hasPrefix("note: ") || $0.count <= 80 }, "\(lines)")
    #expect(!lines.joined().contains("\u{202E}"))
  }

  /// The distribution of the weights, and that the table of the program's fast way is that of the slow one.
  @Test func `Weights are Poisson's`() {
    var (counts, sum, squares) = ([Int](repeating: 0, count: 13), 0, 0)
    var weights = ReplicateWeights(replicates: 1000, seed: 3)
    for sample in 0..<1000 {
      weights.draw(sample)
      for weight in weights.weights {
        counts[weight] += 1
        (sum, squares) = (sum + weight, squares + weight * weight)
      }
    }
    // 10⁶ draws: five standard deviations.
    #expect(abs(Double(sum) - 1e6) < 5e3 && abs(Double(squares) - 2e6) < 5 * 3.2e3, "\(counts)")
    for (weight, part) in [0.367879, 0.367879, 0.183940, 0.061313, 0.015328].enumerated() {
      #expect(abs(Double(counts[weight]) - 1e6 * part) < 5 * (1e6 * part).squareRoot(), "\(counts)")
    }
    weights.draw(17)
    let seventeenth = weights.weights
    weights.draw(18)
    #expect(weights.weights != seventeenth)
    weights.draw(17)
    #expect(weights.weights == seventeenth)
    #expect(ReplicateWeights.weight(of: 0) == 0 && ReplicateWeights.weight(of: .max) == 12)
  }
}
