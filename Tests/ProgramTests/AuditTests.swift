import Foundation
import Testing

extension ProgramTests {
  /// Attacks on the privacy of models.
  @Suite(.serialized)
  struct AuditTests {
    /// What `audit --json` prints.
    private struct Report: Decodable {
      struct Attack: Decodable {
        struct Found: Decodable { var truePositiveRate: Double, interval: [Double] }
        var name: String
        var auc: Double
        var aucInterval: [Double]
        var found: [Found]
      }
      var members: Int?
      var others: Int?
      var memberAccuracy: Double?
      var epsilon: Double?
      var attacks: [Attack]?
      var epsilonLowerBound: Double?
      var privacy: Spent?
      struct Spent: Decodable { var epsilon: Double }
    }

    private static func report(_ arguments: [String], ranks: Int? = nil) throws -> Report {
      let outcome = try Program.run(["audit", "--json"] + arguments, ranks: ranks)
      #expect(outcome.code == 0 && outcome.errors == "", "\(arguments): \(outcome.code) \(outcome.errors)")
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try decoder.decode(Report.self, from: Data(outcome.output.utf8))
    }

    /// Every line of `text` fits into 80 columns.
    private static func fits(_ text: String) -> Bool { text.split(separator: "\n").allSatisfy { $0.count <= 80 } }

    private static let small = ["--model", "mlp:784-64-10", "--subset", "400", "--seed", "3"]
    private static let secret = [
      "--private", "--epsilon", "0.5", "--epochs", "10", "--global-batch", "100", "--learning-rate", "4e-3", "--delta",
      "1e-4",
    ]

    /// A net that remembers its samples is found out, the same at any number of ranks, and one that was trained privately is not.
    @Test func membersOfANetThatRemembersAreTold() throws {
      let scratch = try ScratchDirectory()
      let arguments = ["audit", "--shadows", "6", "--epochs", "20"] + Self.small
      let first = try Program.run(arguments + ["--roc", scratch.file("roc.svg")])
      #expect(first.code == 0 && first.errors == "" && Self.fits(first.output), "\(first.output) \(first.errors)")
      #expect(first.output.contains("mlp:784-64-10, trained on 200 samples, not on 200 others\n"), "\(first.output)")
      #expect(first.output.contains("Of 200 others 0.1 % are none"))
      let picture = try String(contentsOfFile: scratch.file("roc.svg"), encoding: .utf8)
      #expect(picture.hasPrefix("<svg xmlns=") && picture.hasSuffix("</svg>\n"))
      for name in ["loss threshold", "LiRA online", "LiRA offline"] { #expect(picture.contains(">\(name)</text>")) }
      for ranks in 1...4 {
        let again = try Program.run(arguments, ranks: ranks)
        #expect(again.code == 0, "\(again.errors)")
        #expect(again.output == first.output, "\(ranks): \(again.output)")
      }
      let overfitted = try Self.report(Array(arguments.dropFirst()))
      #expect(overfitted.memberAccuracy == 1 && overfitted.epsilon == nil && overfitted.attacks?.count == 3)
      for attack in overfitted.attacks ?? [] { #expect(attack.aucInterval[0] > 0.52, "\(attack)") }
      let hidden = try Self.report(["--shadows", "6"] + Self.small + Self.secret, ranks: 2)
      #expect(abs((hidden.epsilon ?? 0) - 0.5) < 0.01)
      for (attack, open) in zip(hidden.attacks ?? [], overfitted.attacks ?? []) {
        #expect(attack.aucInterval[0] < 0.53 && attack.auc < open.auc - 0.02, "\(attack) \(open)")
      }
    }

    @Test func anAuditGoesOn() throws {
      let scratch = try ScratchDirectory()
      let arguments = ["audit", "--shadows", "4", "--epochs", "3", "--run-dir", scratch.file("run")] + Self.small
      let first = try Program.run(arguments, ranks: 2)
      let files = try FileManager.default.contentsOfDirectory(atPath: scratch.file("run/audit")).sorted()
      #expect(files == ["lock"] + (0...4).map { "model-0\($0).json" }, "\(files) \(first.errors)")
      try FileManager.default.removeItem(atPath: scratch.file("run/audit/model-03.json"))
      #expect(try Program.run(arguments, ranks: 3).output == first.output)
      let other = try Program.run(arguments + ["--epochs", "4"], ranks: 2)
      #expect(other.code == 64 && other.errorLines.count == 1, "\(other.errors)")
      #expect(other.errors.contains("another audit (epochs is 3 there and 4 here)"), "\(other.errors)")
      try "{".write(toFile: scratch.file("run/audit/model-01.json"), atomically: true, encoding: .utf8)
      let damaged = try Program.run(arguments, ranks: 2)
      #expect(damaged.code == 65 && damaged.errorLines.count == 1 && damaged.errors.contains("model-01.json"))
    }

    /// The bound by canaries: well above nothing where they are remembered, and below the accountant's ε where training is private.
    @Test func canariesBoundEpsilon() throws {
      let arguments = ["audit", "--canaries", "200"] + Self.small
      let first = try Program.run(arguments + ["--epochs", "40"])
      #expect(first.code == 0 && first.errors == "" && Self.fits(first.output), "\(first.output) \(first.errors)")
      for ranks in 1...4 {
        #expect(try Program.run(arguments + ["--epochs", "40"], ranks: ranks).output == first.output, "\(ranks)")
      }
      let open = try Self.report(Array(arguments.dropFirst()) + ["--epochs", "40"])
      #expect((open.epsilonLowerBound ?? 0) > 1.5 && open.privacy == nil, "\(first.output)")
      for kind in ["mislabelled", "noise"] {
        let hidden = try Self.report(Array(arguments.dropFirst()) + ["--canary-kind", kind] + Self.secret, ranks: 2)
        let spent = try #require(hidden.privacy?.epsilon)
        #expect(abs(spent - 0.5) < 0.01 && (hidden.epsilonLowerBound ?? 9) < spent, "\(hidden)")
      }
    }

    /// The finished run of a directory, and another by its recipe.
    @Test func aRunIsAudited() throws {
      let scratch = try ScratchDirectory()
      let run = scratch.file("run")
      let trained = try Program.run(
        ["train", "--epochs", "20", "--validation", "0.25", "--run-dir", run] + Self.small, ranks: 2)
      #expect(trained.code == 0, "\(trained.errors)")
      let outputs = try (1...3).map { try Program.run(["audit", run], ranks: $0) }
      #expect(Set(outputs.map(\.output)).count == 1 && outputs[0].code == 0 && Self.fits(outputs[0].output))
      #expect(outputs[0].output.contains("trained on 300 samples, not on 10,000 others"), "\(outputs[0].output)")
      let report = try Self.report([run])
      #expect(report.attacks?.count == 1 && report.memberAccuracy == 1 && (report.attacks?[0].auc ?? 0) > 0.55)
      let byRecipe = try Self.report(["--shadows", "4", "--config", "\(run)/config.json", "--epochs", "2"])
      #expect(byRecipe.members == 200 && byRecipe.others == 200)

      let hidden = scratch.file("hidden")
      #expect(try Program.run(["train", "--run-dir", hidden] + Self.small + Self.secret).code == 0)
      let told = try Self.report([hidden, "--delta", "1e-4"], ranks: 2)
      #expect(abs((told.epsilon ?? 0) - 0.5) < 0.01 && (told.attacks?[0].auc ?? 1) < 0.55, "\(told)")

      for (arguments, code, words) in [
        ([run, "--data", try scratch.otherData()], 65, "was trained on other data"),
        ([run, "--labels", "0-4"], 65, "other data"),
        ([run, "--epochs", "3"], 64, "--epochs is for audits that train"), ([scratch.file("none")], 66, "none"),
        ([run, "--shadows", "4"], 64, "exclude each other"),
        ([run, "--roc", scratch.file("none/roc.svg")], 73, "roc.svg"),
      ] as [([String], Int32, String)] {
        let outcome = try Program.run(["audit"] + arguments, ranks: 2)
        #expect(
          outcome.code == code && outcome.errorLines.count == 1, "\(arguments): \(outcome.code) \(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
      }
    }

    @Test func whatIsWrongIsOneLine() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      try (0..<60).map { "\($0),\($0 * $0 % 17).5\n" }.joined()
        .write(toFile: scratch.file("numbers.csv"), atomically: true, encoding: .utf8)
      let data = ["--data", scratch.file("data"), "--model", "mlp:64-8-10", "--epochs", "1"]
      for (arguments, words) in [
        ([], "nothing to audit"), (["--shadows", "4", "--canaries", "20"], "exclude each other"),
        (["--shadows", "3"] + data, "even number"), (["--shadows", "2"] + data, "even number"),
        (["--canaries", "15"] + data, "16 or more"),
        (["--canaries", "193"] + data, "193 canaries are more than the 192"),
        (["--shadows", "4", "--confidence", "1"] + data, "--confidence 1.0"),
        (["--shadows", "4", "--canary-kind", "noise"] + data, "--canary-kind needs --canaries"),
        (["--canaries", "20", "--canary-kind", "blank"] + data, "--canary-kind"),
        (["--canaries", "20", "--run-dir", scratch.file("run")] + data, "--run-dir"),
        (["--shadows", "4", "--validation", "0.1"] + data, "--validation"),
        (["--shadows", "4", "--validation", "0.1", "--early-stopping", "2"] + data, "--early-stopping"),
        (["--shadows", "4", "--global-batch", "auto"] + data, "--global-batch auto"),
        (["--shadows", "4", "--max-time", "1h"] + data, "--max-time"),
        (["--shadows", "4", "--subset", "6"] + data, "too few"),
        (["--shadows", "4", "--model", "gpt"], "classes"),
        (["--shadows", "4", "--data", scratch.file("numbers.csv")], "classes"),
        (["--shadows", "4", "--private", "--epsilon", "1", "--delta", "0.5"] + data, "--delta 0.5"),
      ] {
        let outcome = try Program.run(["audit"] + arguments)
        #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(arguments): \(outcome.code) \(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
      }
      // Ranks that were asked for other things, one whose file is missing, and a directory that cannot be.
      let audit = ["audit", "--shadows", "4"] + data
      for (others, words) in [
        (audit + ["--seed", "4"], "seed"), (["audit", "--canaries", "20"] + data, "audit"),
        (audit + ["--shadows", "6"], "audit"),
      ] {
        let outcome = try Program.run(audit, ranks: 3, others: others)
        #expect(
          outcome.code == 64 && outcome.errorLines.count == 1 && outcome.errors.contains(words), "\(outcome.errors)")
      }
      let file = scratch.file("data/train-labels-idx1-ubyte")
      let directory = try Program.run(audit + ["--run-dir", file], ranks: 2)
      #expect(directory.code == 73 && directory.errorLines.count == 1, "\(directory.code) \(directory.errors)")
      // A net that diverges has no confidence that could be compared.
      let wild = try Program.run(audit + ["--optimizer", "sgd", "--learning-rate", "1e30"], ranks: 2)
      #expect([64, 70].contains(wild.code) && wild.errorLines.count == 1, "\(wild.code) \(wild.errors)")
    }
  }
}
