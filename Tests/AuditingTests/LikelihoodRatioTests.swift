import Foundation
import Lockstep
import PeerPython
import Testing

/// The likelihood ratio against scipy's normal densities of the same models.
@Suite struct LikelihoodRatioTests {
  /// Confidences of models that are surer of samples that they were trained on.
  private static func made(models: Int, samples: Int) -> (logits: [[Double]], isMember: [[Bool]]) {
    let halves = ShadowHalves(samples: samples, shadows: models - 1, seed: 4).isMember
    var words = Philox(seed: 12, purpose: .bootstrap, stream: 0)
    let logits = halves.map { half in
      half.indices.map { Double($0 % 5) + (half[$0] ? 2 : 0) + 3 * Double(words.nextUniform()) }
    }
    return (logits, halves)
  }

  @Test(arguments: [true, false])
  func scoresAreScipys(_ shares: Bool) throws {
    guard
      let python = try PeerPython(
        "scikit-learn", packages: ["scikit-learn"], modules: ["sklearn.metrics", "scipy.stats"])
    else { return }
    let (logits, isMember) = Self.made(models: 9, samples: 40)
    let scratch = try Scratch()
    try JSONEncoder().encode(logits).write(to: URL(filePath: scratch.file("logits.json")))
    try JSONEncoder().encode(isMember).write(to: URL(filePath: scratch.file("members.json")))
    let script = """
      import json, sys, numpy, scipy.stats
      logits, member = (numpy.array(json.load(open(name))) for name in sys.argv[1:3])
      target, logits, member = logits[0], logits[1:], member[1:]
      def fit(kind):
          chosen = [logits[member[:, i] == kind, i] for i in range(len(target))]
          means = numpy.array([values.mean() for values in chosen])
          own = numpy.array([values.var(ddof=1) for values in chosen])
          shared = sum(((values - values.mean()) ** 2).sum() for values in chosen) / sum(len(values) - 1 for values in chosen)
          return means, numpy.sqrt(numpy.full(len(target), shared) if sys.argv[3] == "true" else own)
      (mean_in, std_in), (mean_out, std_out) = fit(True), fit(False)
      online = scipy.stats.norm.logpdf(target, mean_in, std_in) - scipy.stats.norm.logpdf(target, mean_out, std_out)
      print(json.dumps([online.tolist(), scipy.stats.norm.ppf(scipy.stats.norm.cdf(target, mean_out, std_out)).tolist()]))
      """
    let result = try python.run(
      ["-c", script, scratch.file("logits.json"), scratch.file("members.json"), "\(shares)"])
    #expect(result.status == 0, "\(result.output)")
    let theirs = try JSONDecoder().decode([[Double]].self, from: Data(result.output.utf8))
    let ratio = LikelihoodRatio(
      confidences: Array(logits.dropFirst()), isMember: Array(isMember.dropFirst()), sharesVariance: shares)
    #expect(ratio.sharesVariance == shares)
    for (variant, wanted) in zip([LikelihoodRatio.Variant.online, .offline], theirs) {
      for (ours, theirs) in zip(ratio.scores(of: logits[0], variant), wanted) where abs(theirs) < 6 {
        #expect(abs(ours - theirs) < 1e-8 * max(1, abs(theirs)), "\(variant)")
      }
    }
  }

  @Test func fewModelsShareTheirVariance() {
    for (models, shares) in [(5, true), (63, true), (65, false)] {
      let (logits, isMember) = Self.made(models: models, samples: 3)
      let ratio = LikelihoodRatio(
        confidences: Array(logits.dropFirst()), isMember: Array(isMember.dropFirst()))
      #expect(ratio.sharesVariance == shares, "\(models)")
    }
  }

  /// Models that all agree have no deviation; scores are numbers all the same.
  @Test func modelsThatAgree() {
    let (_, isMember) = Self.made(models: 5, samples: 4)
    let ratio = LikelihoodRatio(
      confidences: Array(repeating: [1, 1, 1, 1], count: 4), isMember: Array(isMember.dropFirst()))
    for variant in LikelihoodRatio.Variant.allCases {
      #expect(ratio.scores(of: [1, 2, -5, 1e30], variant).allSatisfy { !$0.isNaN }, "\(variant)")
    }
  }

  @Test(arguments: [8, 9, 1000])
  func everySampleIsInHalfOfTheModels(_ samples: Int) {
    let halves = ShadowHalves(samples: samples, shadows: 6, seed: 3)
    #expect(halves.isMember.count == 7)
    for sample in 0..<samples {
      #expect(halves.isMember.dropFirst().count { $0[sample] } == 3)
    }
    for model in 0..<7 {
      let members = halves.members(of: model)
      #expect(members.count == samples / 2 || members.count == samples - samples / 2)
      #expect(members == members.sorted() && members.allSatisfy { halves.isMember[model][$0] })
    }
    // Other pairs have other halves, and another seed too.
    #expect(halves.isMember[1] != halves.isMember[3] || samples < 10)
    #expect(ShadowHalves(samples: samples, shadows: 6, seed: 4).isMember != halves.isMember)
    #expect(ShadowHalves(samples: samples, shadows: 8, seed: 3).isMember[0..<7] == halves.isMember[0..<7])
  }
}
