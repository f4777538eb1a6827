import Foundation
import Lockstep
import PeerPython
import Testing

/// Tables of a test's making, a function of their numbers.
struct MadeTable {
  /// The words of the last column.
  enum Target {
    case yesOrNo
    /// One of these many.
    case classes(Int)
    case number
  }

  var rows = 200
  var target = Target.yesOrNo
  var seed = 0

  var text: String {
    var state = UInt64(seed + 1)
    func next(below bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var text = "height,width,colour,always,target\n"
    for _ in 0..<rows {
      let (height, width, colour) = (next(below: 1000), next(below: 100), next(below: 3))
      let sum = height + 5 * width + 200 * colour
      let answer =
        switch target {
        case .yesOrNo: sum > 950 ? "yes" : "no"
        case .classes(let count): "\(sum * count / 1900)"
        case .number: "\(Double(sum) / 100)"
        }
      let gap = next(below: 50) == 0
      text += "\(gap ? "" : "\(height)"),\(Double(width) / 8),\(["red", "green", "blue"][colour]),7,\(answer)\n"
    }
    return text
  }

  func write(to path: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
}

extension ProgramTests {
  /// Tables: trained on, gone on with, and evaluated, with the same bits at any number of ranks.
  @Suite(.serialized)
  struct TableTests {
    private static let cases: [(what: String, target: MadeTable.Target, flags: [String], task: String)] = [
      ("binary", .yesOrNo, [], "binary target (no, yes)"),
      ("classes", .classes(4), ["--missing", "mean", "--normalise", "standard"], "classify target (0, 1, 2, 3)"),
      ("regression", .number, ["--missing", "median"], "regress target"),
      (
        "weights and smoothing", .yesOrNo, ["--class-weights", "balanced", "--label-smoothing", "0.1"],
        "binary target (no, yes)"
      ),
    ]

    @Test(arguments: cases.indices)
    func oneDigestAtAnyNumberOfRanks(_ index: Int) throws {
      let (what, target, flags, task) = Self.cases[index]
      let scratch = try ScratchDirectory()
      let table = scratch.file("table.csv")
      try MadeTable(target: target).write(to: table)
      let train = ["train", "--data", table, "--model", "mlp", "--epochs", "3"] + flags
      var outcomes: [Program.Outcome] = []
      for ranks in [nil, 1, 2, 3, 4] {
        let run = scratch.file("run\(ranks ?? 0)")
        let outcome = try Program.run(train + ["--run-dir", run], ranks: ranks)
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(what) at \(ranks ?? 0): \(outcome.errors)")
        #expect(outcome.output.hasPrefix("\(table): ") && outcome.output.contains("; \(task);"), "\(outcome.output)")
        #expect(outcome.output.contains("left out constant column always"), "\(outcome.output)")
        outcomes.append(outcome)
      }
      #expect(Set(outcomes.map(\.weightsDigest)).count == 1 && outcomes[0].weightsDigest != nil, "\(what)")
      print("\(what): \(outcomes[0].weightsDigest ?? "")")

      // Stopped after some steps, and gone on with at another number of ranks.
      let stopped = try Program.run(train + ["--max-steps", "7", "--run-dir", scratch.file("parts")], ranks: 2)
      #expect(stopped.code == 0, "\(stopped.errors)")
      let resumed = try Program.run(train + ["--run-dir", scratch.file("parts")], ranks: 3)
      #expect(resumed.code == 0 && resumed.output.contains("resumed after step 7"), "\(resumed.errors)")
      #expect(resumed.weightsDigest == outcomes[0].weightsDigest, "\(what)")

      // The checkpoint says how its data were made: an evaluation is told the file alone.
      for ranks in [nil, 2, 3] {
        let evaluated = try Program.run(["evaluate", scratch.file("run4"), "--data", table], ranks: ranks)
        #expect(evaluated.code == 0, "\(what): \(evaluated.errors)")
        let summary = try Self.summary(scratch.file("run1"))
        #expect(evaluated.value(of: "Test loss") == fixed(summary.testLoss, 4), "\(what)")
        for name in ["Test accuracy", "Test F1", "Test recall", "Test precision", "Test MSE", "Test MAE", "Test R2"] {
          #expect(evaluated.value(of: name) == outcomes[0].value(of: name), "\(what), \(name)")
        }
        #expect((evaluated.value(of: "Test R2") != nil) == (what == "regression"))
        #expect((evaluated.value(of: "Test F1") != nil) == task.hasPrefix("binary"))
      }
    }

    private static func summary(_ run: String) throws -> TrainingSummary {
      try JSONDecoder().decode(
        TrainingSummary.self, from: Data(contentsOf: URL(fileURLWithPath: "\(run)/summary.json")))
    }

    /// Another file, or the same in other words, is not what the run was trained on.
    @Test func otherDataAreRefused() throws {
      let scratch = try ScratchDirectory()
      let (table, other) = (scratch.file("table.csv"), scratch.file("other.csv"))
      try MadeTable().write(to: table)
      try MadeTable(seed: 1).write(to: other)
      let train = ["train", "--model", "mlp", "--max-steps", "5", "--run-dir", scratch.file("run")]
      #expect(try Program.run(train + ["--data", table]).code == 0)
      for (arguments, words) in [
        (["--data", other], ["training_data is "]),
        (["--data", table, "--normalise", "none"], ["data_normalise is min-max"]),
        (["--data", table, "--test-fraction", "0.3"], ["data_test_fraction is 0.2 there and 0.3 here"]),
        (["--data", table, "--split-seed", "3"], ["data_split_seed is 0 there and 3 here"]),
        (["--data", table, "--class-weights", "1,2"], ["class_weights is not given there and \"1.0,2.0\" here"]),
        (["--data", table, "--label-smoothing", "0.2"], ["label_smoothing is not given there and 0.2 here"]),
      ] {
        let outcome = try Program.run(train + arguments, ranks: 2)
        #expect(outcome.code == 65 && outcome.errorLines.count == 1, "\(outcome.errors)")
        for word in words { #expect(outcome.errors.contains(word.replacing("\"", with: "")), "\(outcome.errors)") }
      }
      for ranks in [nil, 3] {
        let evaluated = try Program.run(["evaluate", scratch.file("run"), "--data", other], ranks: ranks)
        #expect(evaluated.code == 65 && evaluated.errorLines.count == 1, "\(evaluated.errors)")
        #expect(evaluated.errors.contains("was trained on other data"), "\(evaluated.errors)")
        // A file of its own for testing is scaled by the file that was trained on.
        let own = try Program.run(
          ["evaluate", scratch.file("run"), "--data", table, "--test-data", other], ranks: ranks)
        #expect(own.code == 0 && own.output.contains("macro average"), "\(own.errors)")
      }
      let images = try Program.run(["evaluate", scratch.file("run"), "--data", "mnist"])
      #expect(images.code != 0 && images.errorLines.count == 1, "\(images.errors)")
      #expect(try Program.run(train + ["--run-dir", scratch.file("images")]).code == 0)
      let asTable = try Program.run(["evaluate", scratch.file("images"), "--data", table], ranks: 2)
      #expect(asTable.code == 65 && asTable.errors.contains("was not trained on a table"), "\(asTable.errors)")
    }

    @Test(
      arguments: [
        (["--data", "none.csv"], 66, "none.csv: no such file"),
        (["--data", "none.csv", "--test-fraction", "0"], 64, "--test-fraction 0"),
        (["--data", "none.csv", "--test-fraction", "nan"], 64, "--test-fraction"),
        (["--data", "none.csv", "--test-fraction", "0.5", "--test-data", "x.csv"], 64, "--test-data"),
        (["--target", "y"], 64, "--target needs a table"), (["--normalise", "none"], 64, "--normalise needs a table"),
        (["--task", "binary"], 64, "--task binary needs a table"), (["--missing", "guess"], 64, "guess"),
        (["--data", "TABLE", "--target", "z"], 65, "has no column \"z\""),
        (["--data", "TABLE", "--ignore", "target"], 65, "--target"),
        (["--data", "TABLE", "--task", "regress"], 65, "is not a number"),
        (["--data", "TABLE", "--task", "binary:7"], 64, "its labels are 0 to 1"),
        (["--data", "TABLE", "--model", "article"], 64, "[5]"),
        (["--data", "TABLE", "--model", "mlp:10-5-1"], 64, "10 inputs"),
        (["--data", "TABLE", "--class-weights", "1"], 64, "--class-weights has 1 weights"),
        (["--data", "TABLE", "--class-weights", "1,-1"], 64, "--class-weights has -1.0"),
        (["--data", "TABLE", "--class-weights", "0,0"], 64, "all 0"),
        (["--data", "TABLE", "--class-weights", "heavy"], 64, "heavy"),
        (["--data", "TABLE", "--label-smoothing", "1.5"], 64, "--label-smoothing 1.5"),
        (["--data", "TABLE", "--label-smoothing", "nan"], 64, "--label-smoothing nan"),
        (
          ["--data", "TABLE", "--task", "regress", "--target", "width", "--label-smoothing", "0.1"], 64, "needs classes"
        ),
      ] as [([String], Int32, String)])
    func whatCannotBeIsOneLine(_ arguments: [String], _ code: Int32, _ words: String) throws {
      let scratch = try ScratchDirectory()
      try MadeTable().write(to: scratch.file("table.csv"))
      let own = arguments.map { $0 == "TABLE" ? scratch.file("table.csv") : $0 }
      for ranks in [nil, 3] {
        let outcome = try Program.run(["train", "--run-dir", scratch.file("run")] + own, ranks: ranks)
        #expect(outcome.code == code && outcome.errorLines.count == 1, "\(arguments): \(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
      }
    }

    /// The report beside the configuration: whole, or an error; what a killed job left of it is removed.
    @Test func theReportIsARecordOfTheRun() throws {
      let scratch = try ScratchDirectory()
      let (table, run) = (scratch.file("table.csv"), scratch.file("run"))
      try MadeTable(target: .classes(3)).write(to: table)
      let train = ["train", "--data", table, "--max-steps", "5", "--run-dir", run, "--class-weights", "1,2,0.5"]
      try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
      try Data("half".utf8).write(to: URL(fileURLWithPath: "\(run)/.data-report.json.tmp"))
      #expect(try Program.run(train, ranks: 2).code == 0)
      #expect(!FileManager.default.fileExists(atPath: "\(run)/.data-report.json.tmp"))
      let report = try JSONDecoder().decode(
        CSVReport.self, from: Data(contentsOf: URL(fileURLWithPath: "\(run)/data-report.json")))
      #expect(
        report.trainingSamples + report.testSamples + report.cleaning.rowsWithMissingValues
          + report.cleaning.duplicateRows == 200)
      #expect(report.columns.map(\.name) == ["height", "width", "colour"] && report.constantColumns == ["always"])
      #expect(report.columns[2].categories == ["blue", "green", "red"] && report.inputs == 5)
      #expect(report.classes == ["0", "1", "2"] && report.testFraction == 0.2 && report.splitSeed == 0)
      let configuration = try String(contentsOfFile: "\(run)/config.json", encoding: .utf8)
      #expect(configuration.contains("\"class_weights\" : \"1.0,2.0,0.5\""), "\(configuration)")
      // A directory cannot be replaced by a file.
      try FileManager.default.removeItem(atPath: "\(run)/data-report.json")
      try FileManager.default.createDirectory(
        atPath: "\(run)/data-report.json/inside", withIntermediateDirectories: true)
      let refused = try Program.run(train, ranks: 2)
      #expect(refused.code == 73 && refused.errorLines.count == 1, "\(refused.errors)")
      #expect(refused.errors.contains("data-report.json"), "\(refused.errors)")
    }

    /// Names that would write on a terminal, or begin a line of their own.
    @Test func namesOfOthersAreShownEscaped() throws {
      let scratch = try ScratchDirectory()
      let table = scratch.file("table.csv")
      let hostile = "x\u{1B}[2K\nFORGED"
      var text = "\"\(hostile)\",\"c\u{202E}\n\",\"t\nFORGED\"\n"
      for row in 0..<40 { text += "\(row),5,\"\(row % 2 == 0 ? "a" : hostile)\"\n" }
      try Data(text.utf8).write(to: URL(fileURLWithPath: table))
      let trained = try Program.run(["train", "--data", table, "--max-steps", "2", "--run-dir", scratch.file("run")])
      let evaluated = try Program.run(["evaluate", scratch.file("run"), "--data", table])
      let wrong = try Program.run(["train", "--data", table, "--target", "\(hostile)2"])
      #expect(trained.code == 0 && evaluated.code == 0 && wrong.code == 65, "\(trained.errors)\(evaluated.errors)")
      #expect(wrong.errorLines.count == 1)
      for line in (trained.output + evaluated.output + wrong.errors).unicodeScalars.split(separator: "\n") {
        #expect(!line.starts(with: "FORGED".unicodeScalars))
        #expect(!line.contains { $0.value < 0x20 || $0 == "\u{202E}" }, "\(line)")
      }
    }

    /// The article's § 4.5: 100 samples of 10 features, 10–5–1, ReLU, binary cross-entropy, Adam; and its three figures, against
    /// scikit-learn's on the logits that the evaluation writes.
    @Test func theArticlesTable() throws {
      guard let python = try PeerPython("scikit-learn", packages: ["scikit-learn"], modules: ["sklearn.metrics"]) else {
        return
      }
      let scratch = try ScratchDirectory()
      let (table, run, logits) = (scratch.file("table.csv"), scratch.file("run"), scratch.file("logits.csv"))
      let generator = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../../docs/examples/table.py")
      let made = try python.run([generator.standardized.path])
      #expect(made.status == 0)
      try Data(made.output.utf8).write(to: URL(fileURLWithPath: table))
      let trained = try Program.run(
        [
          "train", "--data", table, "--model", "mlp:10-5-1", "--epochs", "100", "--learning-rate", "0.01", "--run-dir",
          run,
        ], ranks: 2)
      #expect(trained.code == 0, "\(trained.errors)")
      #expect(
        trained.output.contains(
          "80 samples to train on, 20 to test on; 10 inputs, normalised min-max; binary label (0, 1)"))
      #expect(trained.output.contains("mlp:10-5-1: 61 parameters, binary:1"), "\(trained.output)")
      let evaluated = try Program.run(["evaluate", run, "--data", table, "--write-logits", logits], ranks: 3)
      #expect(evaluated.code == 0, "\(evaluated.errors)")
      let script = """
        import sys, numpy
        from sklearn import metrics
        table = numpy.loadtxt(sys.argv[1], delimiter=",")
        predicted, label = table[:, 0] > 0, table[:, 1] == 1
        for name in ("accuracy", "precision", "recall", "f1"):
            print(name, "%.4f" % getattr(metrics, name + "_score")(label, predicted))
        print("samples", len(table))
        """
      let result = try python.run(["-c", script, logits])
      let ours = ["accuracy", "precision", "recall", "F1"].map { name in
        "\(name.lowercased()) \(evaluated.value(of: "Test \(name)") ?? "none")\n"
      }
      print(ours.joined(), terminator: "")
      #expect(result.output == ours.joined() + "samples 20\n", "\(result.output)")
      for name in ["accuracy", "recall", "F1"] {
        #expect(trained.value(of: "Test \(name)") == evaluated.value(of: "Test \(name)"))
      }
      #expect((evaluated.value(of: "Test accuracy").flatMap { Double($0) } ?? 0) >= 0.65)
    }

    /// A line a sample, at any number of ranks the same, of floats that are read again as they were; a place that cannot be written is
    /// an error, and no half file.
    @Test func logitsAreWrittenWholeOrNot() throws {
      let scratch = try ScratchDirectory()
      let table = scratch.file("table.csv")
      try MadeTable(rows: 600, target: .number).write(to: table)
      let train = ["train", "--data", table, "--max-steps", "20", "--run-dir", scratch.file("run")]
      #expect(try Program.run(train).code == 0)
      var texts: Set<String> = []
      for ranks in [nil, 2, 4] {
        let path = scratch.file("logits\(ranks ?? 0).csv")
        let outcome = try Program.run(
          ["evaluate", scratch.file("run"), "--data", table, "--write-logits", path], ranks: ranks)
        #expect(outcome.code == 0, "\(outcome.errors)")
        texts.insert(try String(contentsOfFile: path, encoding: .utf8))
      }
      let lines = try #require(texts.first).split(separator: "\n")
      #expect(texts.count == 1)
      let options = CSVOptions()
      let test = try CSVParts(path: table, options).test
      let values = Buffer<Float>(count: test.count)
      test.copyValues(in: 0..<test.count, into: values)
      #expect(lines.map { $0.split(separator: ",").last.flatMap { Float($0) } } == values.array)
      #expect(lines.allSatisfy { $0.split(separator: ",").count == 2 })
      try FileManager.default.createDirectory(atPath: scratch.file("taken.csv"), withIntermediateDirectories: false)
      for path in ["/nowhere/logits.csv", scratch.file("taken.csv")] {
        let outcome = try Program.run(
          ["evaluate", scratch.file("run"), "--data", table, "--write-logits", path], ranks: 2)
        #expect(outcome.code == 73 && outcome.errorLines.count == 1, "\(outcome.errors)")
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path)
      #expect(!names.contains { $0.hasSuffix(".tmp") }, "\(names)")
    }

    /// Weights and smoothing on images as well, and unset they change no bit.
    @Test func weightsOnImages() throws {
      let scratch = try ScratchDirectory()
      try SmallSet(labels: 11...14).write(to: scratch.file("data"))
      let train = ["train", "--data", scratch.file("data"), "--model", "mlp:64-8-4", "--epochs", "2"]
      var digests: [[String]: String?] = [:]
      for flags in [
        [], ["--label-smoothing", "0"], ["--class-weights", "balanced"], ["--class-weights", "1,1,1,3"],
        ["--label-smoothing", "0.1"],
      ] {
        let runs = try [nil, 3].map { ranks in
          try Program.run(
            train + flags + ["--run-dir", scratch.file("run-\(flags.joined())-\(ranks ?? 0)")], ranks: ranks)
        }
        #expect(runs.allSatisfy { $0.code == 0 } && runs[0].weightsDigest == runs[1].weightsDigest, "\(flags)")
        digests[flags] = runs[0].weightsDigest
      }
      #expect(digests[[]] == digests[["--label-smoothing", "0"]])
      // All classes are as frequent: balanced weights are 1, which is another line in the recipe and no other step.
      #expect(Set(digests.values).count >= 3)
      #expect(digests[["--class-weights", "1,1,1,3"]] != digests[[]])
      #expect(digests[["--label-smoothing", "0.1"]] != digests[[]])
    }
  }
}
