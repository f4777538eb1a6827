import Foundation
import Lockstep
import Testing

/// Canaries, and whole audits by them on ranks that are threads.
@Suite struct CanaryAuditTests {
  @Test(arguments: CanaryData.Kind.allCases)
  func canariesAreOddAndAllElseIsAsItWas(_ kind: CanaryData.Kind) throws {
    let base = try SmallData.random(120)
    let data = try CanaryData(of: base, count: 30, kind, loss: SoftmaxCrossEntropy(classes: 4), seed: 3)
    #expect(Set(data.canaries).count == 30 && data.canaries != data.canaries.sorted())
    #expect(data.count == 120 && data.targets == base.targets && data.digest != base.digest)
    let (labels, plainLabels) = (Buffer<Int32>(count: 120), Buffer<Int32>(count: 120))
    let (inputs, plainInputs) = (Buffer<Float>(count: 960), Buffer<Float>(count: 960))
    data.copyLabels(in: 0..<120, into: labels)
    base.copyLabels(in: 0..<120, into: plainLabels)
    data.copyInputs(in: 0..<120, into: inputs)
    base.copyInputs(in: 0..<120, into: plainInputs)
    for sample in 0..<120 {
      let isCanary = data.canaries.contains(sample)
      let own = inputs[sample * 8..<sample * 8 + 8].array
      #expect((own == plainInputs[sample * 8..<sample * 8 + 8].array) == (!isCanary || kind == .mislabelled))
      if !isCanary { #expect(labels[sample] == plainLabels[sample]) }
      if isCanary && kind == .mislabelled { #expect(labels[sample] != plainLabels[sample]) }
      #expect((0...3).contains(labels[sample]))
      // By number and by range alike, with noise too.
      let (one, label) = (Buffer<Float>(count: 8), Buffer<Int32>(count: 1))
      data.copyInputs(of: [UInt32(sample)], into: one, noise: Noise(seed: 1, step: 2, firstPosition: 3))
      data.copyLabels(of: [UInt32(sample)], into: label)
      #expect(one.array == own && label[0] == labels[sample])
    }
    if kind == .noise { #expect(inputs.array.allSatisfy { $0 >= -1 && $0 < 1 }) }
    let other = try CanaryData(of: base, count: 30, kind, loss: SoftmaxCrossEntropy(classes: 4), seed: 4)
    #expect(other.canaries != data.canaries && other.digest != data.digest)
  }

  /// A label that is wrong for the data may be right for the task.
  @Test func labelsAreWrongForTheLoss() throws {
    let base = try SmallData.random(120)
    let loss = SigmoidCrossEntropy(positive: 2)
    let data = try CanaryData(of: base, count: 120, .mislabelled, loss: loss, seed: 3)
    let (labels, plain) = (Buffer<Int32>(count: 120), Buffer<Int32>(count: 120))
    data.copyLabels(in: 0..<120, into: labels)
    base.copyLabels(in: 0..<120, into: plain)
    for sample in 0..<120 { #expect(loss.classIndex(of: labels[sample]) != loss.classIndex(of: plain[sample])) }
  }

  private static func run(
    ranks: Int = 1, canaries: Int = 64, _ change: @Sendable @escaping (inout Recipe) -> Void = { _ in }
  ) throws -> CanaryReport {
    let reports = try InProcessCommunicator.run(size: ranks) { communicator in
      var recipe = SmallData.recipe()
      recipe.epochs = 120
      change(&recipe)
      var audit = CanaryAudit()
      audit.canaries = canaries
      return try audit.run(
        recipe, training: SmallData.random(160), test: SmallData.random(20, seed: 2), on: communicator)
    }
    let texts = try reports.map(Self.text)
    #expect(texts.allSatisfy { $0 == texts[0] })
    return reports[0]
  }

  private static func text(_ report: CanaryReport) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(report), as: UTF8.self)
  }

  @Test func aNetThatRemembersShowsItsEpsilon() throws {
    let report = try Self.run()
    #expect(report.canaries == 64 && report.included > 16 && report.included < 48)
    #expect(report.samples == 160 - 64 + report.included && report.privacy == nil && !report.isAboveAccount)
    #expect(report.epsilonLowerBound > 0.3 && report.auc > 0.75, "\(report)")
    for ranks in 2...4 { #expect(try Self.text(Self.run(ranks: ranks)) == Self.text(report), "\(ranks) ranks") }
  }

  @Test func privateTrainingStaysBelowItsAccount() throws {
    let report = try Self.run(ranks: 2) { recipe in
      recipe.sampleClipNorm = 1
      var privacy = PrivateTraining(.epsilon(2))
      privacy.delta = 1e-4
      privacy.isRepeatable = true
      recipe.privacy = privacy
    }
    let spent = try #require(report.privacy)
    #expect(abs(spent.epsilon - 2) < 0.01 && report.delta == 1e-4)
    #expect(report.epsilonLowerBound < spent.epsilon && !report.isAboveAccount, "\(report)")
    #expect(report.aucInterval.contains(0.5), "\(report)")
  }

  @Test func whatCannotBeAuditedIsOneLine() throws {
    for (canaries, validation, globalBatch, words) in [
      (15, nil, 16, "16 or more"), (161, nil, 16, "161 canaries are more than the 160 samples"),
      (64, 0.1, 16, "validation"), (64, nil, 0, "globalBatch"),
    ] as [(Int, Float?, Int, String)] {
      do {
        _ = try Self.run(ranks: 2, canaries: canaries) {
          ($0.validation, $0.globalBatch) = (validation, globalBatch)
        }
        Issue.record("\(words): nothing was wrong")
      } catch {
        #expect(TrainingError(error).code == .usage && "\(error)".contains(words), "\(error)")
      }
    }
  }
}
