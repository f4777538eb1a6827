import Foundation
import Lockstep
import PeerPython
import Testing

/// Curves and areas against scikit-learn's on the same scores, and DeLong's variance against its definition.
@Suite struct ROCCurveTests {
  /// Scores of members and others that overlap; whole numbers where there are `ties`.
  private static func scores(_ members: Int, _ others: Int, ties: Bool) -> (members: [Double], others: [Double]) {
    var words = Philox(seed: 11, purpose: .bootstrap, stream: 0)
    func draw(_ count: Int, _ shift: Double) -> [Double] {
      (0..<count).map { _ in
        let score = (Double(words.nextUniform()) + Double(words.nextUniform()) + shift) * 8
        return ties ? score.rounded() : score
      }
    }
    return (draw(members, 0.4), draw(others, 0))
  }

  @Test(arguments: [true, false])
  func theyAreScikitLearns(_ ties: Bool) throws {
    guard let python = try PeerPython("scikit-learn", packages: ["scikit-learn"], modules: ["sklearn.metrics"]) else {
      return
    }
    let (members, others) = Self.scores(1500, 2500, ties: ties)
    let scratch = try Scratch()
    try (members.map { "1,\($0)\n" } + others.map { "0,\($0)\n" }).joined()
      .write(toFile: scratch.file("scores.csv"), atomically: true, encoding: .utf8)
    let script = """
      import json, sys, numpy
      from sklearn import metrics
      table = numpy.loadtxt(sys.argv[1], delimiter=",")
      false, true, _ = metrics.roc_curve(table[:, 0], table[:, 1], drop_intermediate=False)
      print(json.dumps({"auc": metrics.roc_auc_score(table[:, 0], table[:, 1]), "false": (false * 2500).round().tolist(),
          "true": (true * 1500).round().tolist(), "found": [true[false <= rate].max() for rate in (0, 0.001, 0.01, 0.3, 1)]}))
      """
    struct Theirs: Decodable {
      var auc: Double
      var `false`: [Double]
      var `true`: [Double]
      var found: [Double]
    }
    let result = try python.run(["-c", script, scratch.file("scores.csv")])
    #expect(result.status == 0, "\(result.output)")
    let theirs = try JSONDecoder().decode(Theirs.self, from: Data(result.output.utf8))
    let ours = ROCCurve(members: members, others: others)
    #expect(abs(ours.area - theirs.auc) < 1e-12)
    #expect(ours.points.map { Double($0.falsePositives) } == theirs.false)
    #expect(ours.points.map { Double($0.truePositives) } == theirs.true)
    for (rate, found) in zip([0, 0.001, 0.01, 0.3, 1], theirs.found) {
      #expect(ours.truePositives(atFalsePositiveRate: rate) == Int((found * 1500).rounded()), "\(rate)")
    }
  }

  /// DeLong et al. 1988: the variances of the placements, of which each is a mean over the other side.
  @Test(arguments: [true, false])
  func theVarianceIsDeLongs(_ ties: Bool) {
    let (members, others) = Self.scores(60, 90, ties: ties)
    func psi(_ member: Double, _ other: Double) -> Double { member > other ? 1 : member == other ? 0.5 : 0 }
    func variance(_ values: [Double]) -> Double {
      let mean = values.reduce(0, +) / Double(values.count)
      return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
    }
    let ofMembers = members.map { member in others.reduce(0) { $0 + psi(member, $1) } / 90 }
    let ofOthers = others.map { other in members.reduce(0) { $0 + psi($1, other) } / 60 }
    let area = ofMembers.reduce(0, +) / 60
    let deviation = (variance(ofMembers) / 60 + variance(ofOthers) / 90).squareRoot()
    let curve = ROCCurve(members: members, others: others)
    #expect(abs(curve.area - area) < 1e-12)
    let interval = curve.areaInterval(confidence: 0.95)
    #expect(abs(interval.lowerBound - (area - 1.959963984540054 * deviation)) < 1e-10, "\(interval)")
    #expect(abs(interval.upperBound - (area + 1.959963984540054 * deviation)) < 1e-10, "\(interval)")
    #expect(curve.areaInterval(confidence: 0.5).upperBound < interval.upperBound)
  }

  @Test func edges() {
    let apart = ROCCurve(members: [3, 4], others: [1, 2])
    #expect(apart.area == 1 && apart.areaInterval(confidence: 0.95) == 1...1)
    #expect(apart.truePositives(atFalsePositiveRate: 0) == 2)
    let equal = ROCCurve(members: [1, 1, 1], others: [1, 1])
    #expect(equal.area == 0.5 && equal.points.count == 2 && equal.truePositives(atFalsePositiveRate: 0.99) == 0)
    let single = ROCCurve(members: [1], others: [2])
    #expect(single.area == 0 && single.areaInterval(confidence: 0.95) == 0...1)
    #expect(single.truePositiveInterval(atFalsePositiveRate: 0, confidence: 0.95) == 0...0.975)
    // 0.1 % of a thousand is one, of 999 none.
    func found(_ others: Int) -> Int {
      ROCCurve(members: [2, 0.5], others: [1] + Array(repeating: 0, count: others - 1))
        .truePositives(atFalsePositiveRate: 0.001)
    }
    #expect(found(1000) == 2 && found(999) == 1)
    for (probability, quantile) in [(0.5, 0), (0.975, 1.959963984540054), (0.001, -3.090232306167813)] {
      #expect(abs(normalQuantile(probability) - quantile) < 1e-12)
    }
  }
}
