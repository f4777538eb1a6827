import Foundation
import Fuzzing
import Lockstep
import Testing

/// Whole membership audits of a small net that remembers its data, on ranks that are threads.
@Suite struct MembershipAuditTests {
  private static func run(
    ranks: Int = 1, directory: String? = nil, shadows: Int = 8,
    _ change: @Sendable @escaping (inout Recipe) -> Void = { _ in }
  ) throws -> MembershipReport {
    let reports = try InProcessCommunicator.run(size: ranks) { communicator in
      var recipe = SmallData.recipe()
      change(&recipe)
      var audit = MembershipAudit()
      audit.shadows = shadows
      return try audit.run(
        recipe, training: SmallData.random(160), test: SmallData.random(20, seed: 2), directory: directory,
        on: communicator)
    }
    let texts = try reports.map(Self.text)
    #expect(texts.allSatisfy { $0 == texts[0] })
    return reports[0]
  }

  private static func text(_ report: MembershipReport) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(report), as: UTF8.self)
  }

  @Test func aNetThatRemembersIsFoundOutAtAnyNumberOfRanks() throws {
    let report = try Self.run()
    #expect(report.members == 80 && report.others == 80 && report.shadows == 8)
    #expect(report.memberAccuracy == 1 && report.otherAccuracy < 0.5)
    #expect(report.attacks.map(\.name) == ["loss threshold", "LiRA online", "LiRA offline"])
    for attack in report.attacks {
      #expect(attack.auc > 0.8 && attack.aucInterval.lowerBound > 0.7, "\(attack.name) \(attack.auc)")
      #expect(attack.aucInterval.contains(attack.auc))
    }
    for ranks in 2...4 { #expect(try Self.text(Self.run(ranks: ranks)) == Self.text(report), "\(ranks) ranks") }
  }

  @Test func aNetThatHasLearntNothingIsNot() throws {
    let report = try Self.run(ranks: 2) { $0.learningRate = 1e-9 }
    for attack in report.attacks { #expect(attack.aucInterval.contains(0.5), "\(attack.name) \(attack.auc)") }
    #expect(report.memberAccuracy < 0.5)
  }

  @Test func whatIsKeptIsNotTrainedAgain() throws {
    let scratch = try Scratch()
    let whole = try Self.text(Self.run(shadows: 4))
    #expect(try Self.text(Self.run(ranks: 2, directory: scratch.path, shadows: 4)) == whole)
    let files = (0...4).map { scratch.file("audit/model-0\($0).json") }
    let kept = try files.map { try Data(contentsOf: URL(filePath: $0)) }
    // Two are gone, as if the audit had been stopped before them; the others are taken as they are.
    for file in [files[1], files[4]] { try FileManager.default.removeItem(atPath: file) }
    #expect(try Self.text(Self.run(ranks: 3, directory: scratch.path, shadows: 4)) == whole)
    #expect(try files.map { try Data(contentsOf: URL(filePath: $0)) } == kept)
    // A file that says otherwise is believed, so it was read.
    let text = String(decoding: kept[0], as: UTF8.self).replacing("\"isCorrect\":true", with: "\"isCorrect\":false")
    try text.write(toFile: files[0], atomically: true, encoding: .utf8)
    #expect(try Self.run(directory: scratch.path, shadows: 4).memberAccuracy == 0)
    // More models go on from fewer; another recipe is another audit.
    try kept[0].write(to: URL(filePath: files[0]))
    #expect(try Self.run(directory: scratch.path, shadows: 6).shadows == 6)
    #expect(throws: TrainingError.self) { try Self.run(directory: scratch.path, shadows: 4) { $0.epochs = 3 } }
    do { _ = try Self.run(ranks: 2, directory: scratch.path, shadows: 4) { $0.seed = 5 } } catch {
      #expect(TrainingError(error).code == .usage && "\(error)".contains("another audit"), "\(error)")
    }
  }

  @Test func damagedFilesAreOneLine() throws {
    let scratch = try Scratch()
    _ = try Self.run(directory: scratch.path, shadows: 4) { $0.epochs = 1 }
    let file = scratch.file("audit/model-02.json")
    let whole = [UInt8](try Data(contentsOf: URL(filePath: file)))
    func read(_ bytes: [UInt8]) throws -> TrainingError? {
      try Data(bytes).write(to: URL(filePath: file))
      do {
        _ = try Self.run(directory: scratch.path, shadows: 4) { $0.epochs = 1 }
        return nil
      } catch { return TrainingError(error) }
    }
    // Every length up to the first samples, and some of those behind.
    for length in Array(0..<60) + Array(stride(from: 60, to: whole.count, by: 211)) {
      let error = try read(Array(whole.prefix(length)))
      #expect(error?.code == .badData && error?.description.contains("model-02.json") == true, "\(length)")
    }
    var kinds: Set<Int32> = []
    try Mutants(seed: 9).forEach(of: [whole]) { number, bytes, _ in
      guard number < 60 else { return }
      if let error = try read(bytes) {
        kinds.insert(error.code.rawValue)
        #expect([.badData, .usage].contains(error.code), "\(error)")
      }
    }
    #expect(kinds.contains(TrainingError.Code.badData.rawValue))
    #expect(try read(Array("{\"recipe\":[],\"result\":{\"confidences\":[]}}".utf8))?.code == .usage)
  }

  @Test func whatCannotBeAuditedIsOneLine() throws {
    let numbers = try InMemoryDataset(
      inputs: Buffer(count: 160), shape: [8], values: Buffer(Array(repeating: Float(1), count: 20)))
    for (change, words) in [
      ({ (audit, _) in audit.shadows = 5 }, "even number"), ({ (audit, _) in audit.shadows = 2 }, "even number"),
      ({ (audit, _) in audit.confidence = 1 }, "confidence"),
      ({ (_, recipe) in recipe.validation = 0.2 }, "validation"),
      ({ (_, recipe) in recipe.subset = 1000 }, "subset"), ({ (_, recipe) in recipe.subset = 4 }, "too few"),
      ({ (_, recipe) in recipe.loss = MeanSquaredError(outputs: 4) }, "classes"),
      ({ (_, recipe) in recipe.learningRate = -1 }, "learning"),
    ] as [((inout MembershipAudit, inout Recipe) -> Void, String)] {
      var (audit, recipe) = (MembershipAudit(), SmallData.recipe())
      change(&audit, &recipe)
      do {
        _ = try audit.run(
          recipe, training: recipe.loss is MeanSquaredError ? numbers : try SmallData.random(160),
          test: SmallData.random(20))
        Issue.record("\(words): nothing was wrong")
      } catch {
        #expect(TrainingError(error).code == .usage && "\(error)".contains(words), "\(error)")
      }
    }
  }

  /// A net that is there is attacked by all ranks together.
  @Test func aTrainedNetIsAttacked() throws {
    let (members, others) = (try SmallData.random(90), try SmallData.random(70, seed: 3))
    let reports = try (1...3).map { ranks in
      try InProcessCommunicator.run(size: ranks) { communicator in
        let keeper = Keeper()
        try Trainer(SmallData.recipe(), training: members, test: others, observers: [keeper]).run()
        guard let run = keeper.run else { throw TrainingError(.rankFailed, "no run") }
        return try Self.text(
          MembershipAudit().attack(
            run.network, parameters: run.parameters, members: members, others: others, epsilon: 2, on: communicator))
      }
    }
    #expect(Set(reports.joined()).count == 1)
    #expect(reports[0][0].contains("\"epsilon\":2,\"member_accuracy\":1,\"members\":90"), "\(reports[0][0])")
  }

  private final class Keeper: Observer {
    var run: FinishedRun?
    func finished(_ run: FinishedRun) { self.run = run }
  }
}
