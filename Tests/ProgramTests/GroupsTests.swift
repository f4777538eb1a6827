import Foundation
import Lockstep
import PeerPython
import Testing

extension ProgramTests {
  /// `--groups`: figures of groups of the test samples.
  @Suite(.serialized)
  struct GroupsTests {
    /// A table whose column `part` is not trained on, and some of whose rows have none.
    private static func write(to path: String, rows: Int = 400) throws {
      var state: UInt64 = 3
      func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
      }
      var text = "height,width,part,age,target\n"
      for _ in 0..<rows {
        let (height, width, part) = (next(1000), next(100), next(21))
        let sum = height + 5 * width + 40 * part
        let name = part == 20 ? "" : ["left", "right", "\"mid\u{202E}dle\""][part % 3]
        text += "\(height),\(Double(width) / 8),\(name),\(20 + next(60)),\(sum > 1150 ? "yes" : "no")\n"
      }
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private static func train(_ scratch: ScratchDirectory, _ flags: [String] = [], ranks: Int? = nil) throws
      -> Program.Outcome
    {
      try write(to: scratch.file("table.csv"))
      return try Program.run(
        [
          "train", "--data", scratch.file("table.csv"), "--ignore", "part", "--model", "mlp:3-8-1", "--epochs", "3",
          "--test-fraction", "0.4", "--run-dir", scratch.file("run\(ranks ?? 0)"),
        ] + flags, ranks: ranks)
    }

    /// Training and evaluation have the same figures, at any number of ranks; the page and the card show them.
    @Test func theSameAtAnyNumberOfRanks() throws {
      let scratch = try ScratchDirectory()
      let flags = ["--groups", "part", "--groups", "part+age", "--groups", "class", "--group-bins", "3"]
      var files: Set<Data> = []
      for ranks in 1...4 {
        let outcome = try Self.train(scratch, flags, ranks: ranks)
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(outcome.output.contains("By part:\n") && outcome.output.contains("Equalised odds difference: "))
        files.insert(try Data(contentsOf: URL(filePath: scratch.file("run\(ranks)/groups.json"))))
        let evaluate = [
          "evaluate", scratch.file("run1"), "--data", scratch.file("table.csv"), "--write-groups",
          scratch.file("own.json"),
          "--json",
        ]
        let evaluated = try Program.run(evaluate + flags, ranks: ranks)
        #expect(evaluated.code == 0 && evaluated.output.split(separator: "\n").count == 1, "\(evaluated.errors)")
        files.insert(try Data(contentsOf: URL(filePath: scratch.file("own.json"))))
        let told = try #require(
          try JSONSerialization.jsonObject(with: Data(evaluated.output.utf8)) as? [String: Any])
        let groups = try #require(told["groups"] as? [[String: Any]])
        #expect(
          groups.map { $0["by"] as? String } == ["part", "part + age", "class"] && told["samples"] as? Int == 160)
      }
      #expect(files.count == 1)
      let file = try GroupsFile(readingFrom: scratch.file("own.json"))
      // Every sample once.
      #expect(file.groups.allSatisfy { $0.samples == 160 && $0.groups.reduce(0) { $0 + $1.samples } == 160 })
      #expect(file.groups[0].groups.last?.name == "(missing)" && file.groups[0].fairness != nil)
      #expect(file.groups[2].groups.map(\.name) == ["no", "yes"] && file.groups[2].fairness == nil)
      let page = try String(contentsOfFile: scratch.file("run1/report.html"), encoding: .utf8)
      #expect(page.contains("<h2>Groups by part</h2>") && page.contains("<h2>Groups by part + age</h2>"))
      #expect(!page.contains("\u{202E}") && !page.contains("{{"))
      #expect(try Program.run(["card", scratch.file("run1"), "--users", "Those who *fit* doors."]).code == 0)
      let card = try String(contentsOfFile: scratch.file("run1/card.md"), encoding: .utf8)
      #expect(
        card.contains("### Groups by part\n") && card.contains("| equalised odds ratio |") && !card.contains("{{"))
      #expect(card.contains("Meant for whom: Those who \\*fit\\* doors.") && card.contains("Preparation: "))
      // Figures of other weights are not shown.
      try GroupsFile(step: 1, groups: file.groups).write(to: scratch.file("run1/groups.json"))
      #expect(try Program.run(["card", scratch.file("run1")]).code == 0)
      #expect(try !String(contentsOfFile: scratch.file("run1/card.md"), encoding: .utf8).contains("Groups by"))
      try Data("{".utf8).write(to: URL(filePath: scratch.file("run1/groups.json")))
      let damaged = try Program.run(["card", scratch.file("run1")])
      #expect(damaged.code == 65 && damaged.errorLines.count == 1, "\(damaged.errors)")
    }

    /// Fairlearn, on the logits that the program writes and the rows that pandas reads.
    @Test func fairlearnAgrees() throws {
      guard
        let python = try PeerPython("fairlearn", packages: ["fairlearn"], modules: ["fairlearn.metrics", "pandas"])
      else { return }
      let scratch = try ScratchDirectory()
      try Self.write(to: scratch.file("table.csv"))
      try Self.write(to: scratch.file("test.csv"), rows: 300)
      let train = [
        "train", "--data", scratch.file("table.csv"), "--test-data", scratch.file("test.csv"), "--ignore", "part",
      ]
      let trained = try Program.run(
        train + ["--duplicates", "keep", "--missing", "mean", "--epochs", "2", "--run-dir", scratch.file("run")])
      #expect(trained.code == 0, "\(trained.errors)")
      let evaluated = try Program.run(
        [
          "evaluate", scratch.file("run"), "--data", scratch.file("table.csv"), "--test-data", scratch.file("test.csv"),
          "--groups", "part", "--write-groups", scratch.file("groups.json"), "--write-logits",
          scratch.file("logits.csv"),
        ], ranks: 2)
      #expect(evaluated.code == 0, "\(evaluated.errors)")
      let script = """
        import json, sys, warnings
        import numpy, pandas, sklearn.metrics as skm
        from fairlearn.metrics import *
        warnings.simplefilter("ignore")
        path = sys.argv[1]
        logits = numpy.loadtxt(path + "/logits.csv", delimiter=",")
        own, predicted = logits[:, 1].astype(int), (logits[:, 0] > 0).astype(int)
        table = pandas.read_csv(path + "/test.csv")
        assert (own == (table["target"] == "yes")).all()
        part = table["part"].fillna("(missing)")
        ours = json.load(open(path + "/groups.json"))["groups"][0]
        frame = MetricFrame(metrics={"accuracy": skm.accuracy_score, "recall": true_positive_rate,
                                     "false_positive_rate": false_positive_rate, "selection_rate": selection_rate},
                            y_true=own, y_pred=predicted, sensitive_features=part)
        for group in ours["groups"]:
            for name in frame.by_group.columns:
                assert group["figures"][name]["value"] == frame.by_group[name][group["name"]], (group, name)
        for name in frame.by_group.columns:
            assert ours["difference"][name]["value"] == frame.difference()[name], name
        assert ours["fairness"]["equalized_odds_difference"]["value"] == equalized_odds_difference(own, predicted, sensitive_features=part)
        assert ours["fairness"]["demographic_parity_ratio"]["value"] == demographic_parity_ratio(own, predicted, sensitive_features=part)
        """
      let result = try python.run(["-c", script, scratch.path])
      #expect(result.status == 0, "\(result.output)")
    }

    /// Images have their groups in a file.
    @Test func imagesHaveAFile() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let train = ["train", "--data", scratch.file("data"), "--model", "mlp:64-8-10", "--epochs", "1"]
      #expect(try Program.run(train + ["--run-dir", scratch.file("run"), "--groups", "class"]).code == 0)
      let rows = (0..<96).map { "\($0 % 5 == 0 ? "ink" : "pencil"),\($0)" }
      try (["pen,number"] + rows).joined(separator: "\n").write(
        toFile: scratch.file("pens.csv"), atomically: true, encoding: .utf8)
      let evaluate = ["evaluate", scratch.file("run"), "--data", scratch.file("data")]
      var outputs: Set<String> = []
      for ranks in [nil, 3] {
        let outcome = try Program.run(evaluate + ["--groups-file", scratch.file("pens.csv")], ranks: ranks)
        #expect(outcome.code == 0 && outcome.output.contains("By pen:") && outcome.output.contains("By number:"))
        // Over ten classes nothing is selected, and there are no odds.
        #expect(!outcome.output.contains("selected") && !outcome.output.contains("odds"), "\(outcome.output)")
        #expect(outcome.output.contains("[0, 23.75]"), "\(outcome.output)")
        // The first line has the checkpoint's path.
        let wide = outcome.output.split(separator: "\n").dropFirst().filter { $0.count > 80 && !$0.hasPrefix("note: ") }
        #expect(wide.isEmpty, "\(wide)")
        outputs.insert(outcome.output)
      }
      #expect(outputs.count == 1)
      for (flags, code, part) in [
        (["--groups", "pen"], 64, "there is no such column; give class, or a --groups-file with that column"),
        (["--groups-file", scratch.file("pens.csv"), "--groups", "pem"], 64, "give class, \"pen\", \"number\""),
        (["--groups-file", scratch.file("none.csv")], 66, "no such file"),
        (["--group-bins", "3"], 64, "--group-bins needs --groups"),
        (["--groups", "class", "--group-bins", "1"], 64, "is not between 2 and 100"),
        (["--write-groups", "x"], 64, "--write-groups needs --groups"),
        (["--groups", "class", "--write-groups", scratch.file("none/x.json")], 73, "cannot write"),
        (
          ["--labels", "0-4", "--groups-file", scratch.file("pens.csv")], 65,
          "holds 96 rows below its header, and the test data 50"
        ),
      ] as [([String], Int32, String)] {
        for ranks in [nil, 2] {
          let outcome = try Program.run(evaluate + flags, ranks: ranks)
          #expect(
            outcome.code == code || ranks != nil && outcome.code != 0, "\(flags): \(outcome.code) \(outcome.errors)")
          #expect(outcome.errorLines.count == 1 && outcome.errors.contains(part), "\(flags): \(outcome.errors)")
        }
      }
    }

    @Test func tablesThatHaveNoSuchGroups() throws {
      let scratch = try ScratchDirectory()
      try MadeTable(target: .number).write(to: scratch.file("table.csv"))
      let train = ["train", "--data", scratch.file("table.csv"), "--epochs", "1", "--run-dir", scratch.file("run")]
      let numbers = try Program.run(train + ["--groups", "colour"])
      #expect(
        numbers.code == 64 && numbers.errors.contains("needs a task that tells classes apart"), "\(numbers.errors)")
      let file = try Program.run(train + ["--groups-file", "x.csv"])
      #expect(file.code == 64 && file.errors.contains("--groups-file needs images"), "\(file.errors)")
      try MadeTable().write(to: scratch.file("table.csv"))
      for (groups, part) in [
        ("color", "\"color\": there is no such column"), ("colour+sex", "\"sex\": there is no such column"),
      ] {
        let outcome = try Program.run(train + ["--groups", groups])
        #expect(
          outcome.code == 64 && outcome.errorLines.count == 1 && outcome.errors.contains(part), "\(outcome.errors)")
      }
      // Ranks that were told other groups.
      let differ = try Program.run(
        train + ["--groups", "colour"], ranks: 2, others: train + ["--groups", "width"])
      #expect(differ.code == 64 && differ.errors.contains("groups"), "\(differ.code) \(differ.errors)")
    }

    /// Private training says which class it tells worst, and warns of one that it has lost.
    @Test func privateRunsLookAtEveryClass() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let train = ["train", "--data", scratch.file("data"), "--model", "mlp:64-8-10", "--epochs", "1"]
      let lost = try Program.run(
        train + ["--private", "--noise-multiplier", "8", "--seed", "1", "--run-dir", scratch.file("lost")])
      #expect(lost.code == 0 && lost.output.contains("\nlowest recall of a class: 0.0000 ("), "\(lost.output)")
      #expect(lost.output.contains("warning: private training has lost class"), "\(lost.output)")
      let open = try Program.run(train + ["--run-dir", scratch.file("open")])
      #expect(open.code == 0 && !open.output.contains("lowest recall"))
    }
  }
}
