import Glibc
import Lockstep
import Statistics
import Testing

/// The clipping of updates, and differential privacy for clients.
@Suite struct ClientPrivacyTests {
  private static func run(_ clip: UpdateClip, noise: Double? = nil, isRepeatable: Bool = true) throws -> SmallFederation
  {
    var run = try SmallFederation()
    run.recipe.updateClip = clip
    run.recipe.privacy = noise.map { PrivateTraining(.noiseMultiplier($0)) }
    run.recipe.privacy?.isRepeatable = isRepeatable
    return run
  }

  private static func first(_ run: SmallFederation) throws -> [Float] {
    try FederatedTrainer(run.recipe, training: run.training, test: run.test).parameters.array
  }

  private static func norm(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }.squareRoot()
  }

  /// One client moves the weights by no more than the clip, and by that where it would go further.
  @Test func updatesAreClipped() throws {
    var run = try Self.run(.fixed(0.05))
    (run.recipe.clients, run.recipe.clientFraction, run.recipe.rounds) = (1, 1, 1)
    let first = try Self.first(run)
    #expect(abs(Self.norm(try run.run().weights, first) - 0.05) < 1e-4)
    run.recipe.updateClip = .fixed(1000)
    let far = try run.run()
    #expect(Self.norm(far.weights, first) > 0.5)
    run.recipe.updateClip = nil
    #expect(try run.run().weights == far.weights)
  }

  /// Without noise all updates are longer than a clip of a millionth, and shorter than one of a million: the clip follows.
  @Test(arguments: [(1e-6 as Float, 0.0), (1e6, 1.0)]) func theClipFollowsTheQuantile(
    _ initial: Float, _ within: Double
  ) throws {
    var run = try Self.run(.adaptive(initial: initial, quantile: 0.8, rate: 0.5))
    run.recipe.rounds = 4
    let factor = exp(-0.5 * (within - 0.8))
    for (round, figures) in try run.run(ranks: 3).rounds.enumerated() {
      let expected = Double(initial) * pow(factor, Double(round))
      #expect(abs(Double(figures.clipNorm ?? 0) / expected - 1) < 1e-5)
    }
    // It ends about the quantile.
    run.recipe.updateClip = .adaptive(initial: 0.01, quantile: 0.5, rate: 1)
    run.recipe.rounds = 40
    let last = try run.run().rounds.suffix(10).map { $0.clipNorm ?? 0 }
    #expect(last.allSatisfy { $0 > 0.05 && $0 < 5 }, "\(last)")
  }

  @Test(arguments: [.fixed(0.5), .adaptive(initial: 0.5, countNoise: 2)] as [UpdateClip])
  func aSeedMakesARunThatCanBeRepeated(_ clip: UpdateClip) throws {
    var run = try Self.run(clip, noise: 0.7)
    run.recipe.dropouts = 0.3
    let digests = try run.digests()
    #expect(digests.count == 1 && digests.first != .some(nil), "\(digests)")
    run.recipe.privacy?.amount = .noiseMultiplier(0.8)
    #expect(try !digests.contains(run.run().digest))
    run.recipe.privacy = nil
    #expect(try !digests.contains(run.run().digest))
  }

  @Test func withoutASeedNobodyCanRepeatIt() throws {
    let run = try Self.run(.fixed(0.5), noise: 0.7, isRepeatable: false)
    #expect(try Set((0..<3).map { _ in try run.run(ranks: 3).digest }).count == 3)
  }

  /// Where clients move nothing, the server's weights move by the noise alone: of deviation z · C / (q · N), whatever the number of clients.
  @Test(arguments: [true, false]) func theNoiseIsWhatTheAccountSays(isRepeatable: Bool) throws {
    var run = try Self.run(.fixed(0.5), noise: 3, isRepeatable: isRepeatable)
    run.recipe.optimizer = SGD(learningRate: 1e-38)
    run.recipe.rounds = 1
    let deviation = 3 * 0.5 / 6
    var moved: [Double] = []
    let layout = try Network(run.recipe.model, loss: run.recipe.loss, capacity: 1).layout
    for seed in 0..<6 as Range<UInt64> {
      run.recipe.seed = seed
      // In one of them all drop out: the noise is there all the same.
      run.recipe.dropouts = seed == 5 ? 1 : 0
      let first = try Self.first(run)
      let weights = try run.run(ranks: 2).weights
      let all = zip(weights, first).map { Double($0 - $1) }
      // The gaps between parameters stay zero.
      #expect(all.count { $0 != 0 } <= layout.learntCount)
      for range in layout.ranges { moved += range.map { all[$0] / deviation } }
    }
    expectNormal(moved)
  }

  /// The count's noise moves the clip by exp(−η · noise / (q · N)), and the updates get the more noise for it (theorem 1 of the paper).
  @Test func theCountsNoiseIsAccountedFor() throws {
    let (multiplier, count) = (1.0, 0.8)
    var run = try Self.run(.adaptive(initial: 0.5, quantile: 0.5, rate: 1, countNoise: count), noise: multiplier)
    run.recipe.optimizer = SGD(learningRate: 1e-38)
    run.recipe.rounds = 2
    let rest = 1 / (1 / (multiplier * multiplier) - 1 / (4 * count * count)).squareRoot()
    var (clips, weights): ([Double], [Double]) = ([], [])
    for seed in 0..<60 as Range<UInt64> {
      run.recipe.seed = seed
      let outcome = try run.run()
      clips.append(log(Double(outcome.rounds[1].clipNorm ?? 1) / 0.5))
      run.recipe.rounds = 1
      let first = try Self.first(run)
      if seed < 8 { weights += zip(try run.run().weights, first).map { Double($0 - $1) * 6 / 0.5 }.filter { $0 != 0 } }
      run.recipe.rounds = 2
    }
    func deviation(_ values: [Double]) -> Double {
      let mean = values.reduce(0, +) / Double(values.count)
      return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
    }
    // The number of clients, binomial of 12 and ½, counts a half each: its variance is ¾.
    let expected = (count * count + 0.75).squareRoot() / 6
    #expect(abs(deviation(clips) / expected - 1) < 0.4, "\(deviation(clips)) \(expected)")
    #expect(abs(deviation(weights) / rest - 1) < 0.05, "\(deviation(weights)) \(rest)")
  }

  /// ε is the accountant's for as many rounds, and goes on where the run does.
  @Test func everyRoundIsAccountedFor() throws {
    var run = try Self.run(.fixed(0.5), noise: 1.2)
    run.recipe.rounds = 4
    let outcome = try run.run(ranks: 2)
    let mechanism = try SubsampledGaussian(sampleRate: 0.5, noiseMultiplier: 1.2)
    for (round, report) in outcome.reports.enumerated() {
      let expected = try RDPAccountant(PrivacyLedger(mechanism, steps: round + 1)).epsilon(delta: 1e-5).epsilon
      #expect(report.privacy?.epsilon == expected && report.privacy?.steps == round + 1)
    }
    #expect(outcome.summary?.privacy == outcome.reports.last?.privacy)
    run.recipe.privacy?.amount = .epsilon(3)
    #expect(try run.run().summary?.privacy?.epsilon ?? 9 <= 3)
    #expect(try run.run().summary?.privacy?.epsilon ?? 0 > 2.99)
    // Each client is in a round with the same probability, independently of the others.
    run.recipe.privacy?.amount = .noiseMultiplier(1.2)
    run.recipe.rounds = 30
    let sizes = try run.run().rounds.map(\.clients)
    #expect(Set(sizes).count > 3 && 140...220 ~= sizes.reduce(0, +), "\(sizes)")
  }
}
