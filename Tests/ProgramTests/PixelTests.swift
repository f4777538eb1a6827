import Foundation
import Lockstep
import Testing

extension ProgramTests {
  /// Models that predict an image's pixels: trained, evaluated and gone on with at any number of ranks.
  @Suite(.serialized)
  struct PixelTests {
    static let recipes: [(name: String, arguments: [String])] = [
      ("bert", ["--model", "bert", "--augment", "shift:1", "--validation", "0.25"]),
      ("gpt", ["--model", "gpt"]), ("wavenet", ["--model", "wavenet"]),
      ("gpt, drawn pixels", ["--model", "gpt", "--binarise", "bernoulli", "--global-batch", "20"]),
      ("wavenet, drawn pixels", ["--model", "wavenet", "--binarise", "bernoulli", "--no-shared-memory"]),
      ("gpt, changed images", ["--model", "gpt", "--augment", "shift:1,rotate:10", "--validation", "0.25"]),
    ]

    @Test(arguments: recipes.indices)
    func theSameBitsAtEveryWorldSize(_ index: Int) throws {
      let (name, arguments) = Self.recipes[index]
      let unit = arguments[1] == "bert" ? "squared error a hidden pixel" : "nats an image"
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let data = ["--data", scratch.file("data")]
      var digests: Set<String> = []
      var figures: Set<String> = []
      for ranks in [nil, 1, 2, 3, 4] {
        let run = scratch.file("run-\(ranks ?? 0)")
        let outcome = try Program.run(["train", "--epochs", "2", "--run-dir", run] + data + arguments, ranks: ranks)
        #expect(outcome.code == 0, "\(name) at \(ranks ?? 0) ranks: \(outcome.errors)")
        digests.insert(try #require(outcome.weightsDigest))
        let line = try #require(outcome.testLine)
        #expect(line.hasPrefix("Test \(unit): ") && !outcome.output.contains("accuracy"), "\(outcome.output)")
        figures.insert(line)
        let evaluated = try Program.run(["evaluate", run] + data, ranks: ranks)
        #expect(evaluated.code == 0, "\(evaluated.errors)")
        figures.insert(try #require(evaluated.testLine))
        let summary = try JSONDecoder().decode(
          TrainingSummary.self, from: Data(contentsOf: URL(fileURLWithPath: "\(run)/summary.json")))
        figures.insert("Test \(unit): \(fixed(summary.testLoss, 4))")
        #expect(summary.testAccuracy == nil)
      }
      #expect(digests.count == 1 && figures.count == 1, "\(name): \(digests), \(figures)")
      print("\(name): \(digests), \(figures)")
      let parts = ["train", "--epochs", "2", "--run-dir", scratch.file("parts")] + data + arguments
      #expect(try Program.run(parts + ["--max-steps", "7"], ranks: 3).code == 0)
      let resumed = try Program.run(parts, ranks: 2)
      #expect(resumed.output.contains("resumed after step 7"), "\(resumed.errors)")
      #expect(resumed.weightsDigest.map { digests.contains($0) } == true)
    }

    @Test func whatDoesNotFitIsOneLine() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      // Images of odd sides cannot be cut into squares of 2 × 2.
      try FileManager.default.createDirectory(atPath: scratch.file("odd"), withIntermediateDirectories: true)
      for part in ["train", "t10k"] {
        try SmallSet.file([0, 0, 8, 3], [2, 5, 4], [UInt8](repeating: 0, count: 40))
          .write(to: URL(fileURLWithPath: scratch.file("odd/\(part)-images-idx3-ubyte")))
        try SmallSet.file([0, 0, 8, 1], [2], [0, 1])
          .write(to: URL(fileURLWithPath: scratch.file("odd/\(part)-labels-idx1-ubyte")))
      }
      try "a,b\n1,2\n".write(toFile: scratch.file("table.csv"), atomically: true, encoding: .utf8)
      let data = ["--data", scratch.file("data")]
      for (arguments, code, words) in [
        (["--binarise", "threshold"] + data, 64, "--binarise needs --model gpt or wavenet"),
        (["--model", "gpt", "--binarise", "grey"] + data, 64, "--binarise"),
        (["--model", "gpt", "--task", "binary:3"] + data, 64, "--task binary:3 does not fit the model"),
        (["--task", "pixels:softmax"] + data, 64, "whose targets are classes"),
        (["--task", "pixels:hidden"] + data, 64, "whose targets are classes"),
        (["--model", "bert", "--binarise", "threshold"] + data, 64, "--binarise needs --model gpt or wavenet"),
        (["--model", "bert", "--task", "classify"] + data, 64, "--task classify does not fit the model"),
        (
          ["--model", "bert", "--class-weights", "balanced"] + data, 64,
          "needs classes, and --task pixels:hidden has none"
        ),
        (
          ["--model", "bert", "--label-smoothing", "0.1"] + data, 64, "needs classes, and --task pixels:hidden has none"
        ),
        (["--model", "bert", "--data", scratch.file("table.csv")], 64, "--model gpt, wavenet or bert needs images"),
        (
          ["--model", "bert", "--data", scratch.file("odd")], 65,
          "inputs of shape [5, 4, 1] cannot be cut into grey patches of 4×4"
        ),
        (
          ["--model", "gpt", "--data", scratch.file("odd")], 65,
          "inputs of shape [5, 4, 1] cannot be cut into squares of 2×2"
        ),
      ] as [([String], Int32, String)] {
        for ranks in [nil, 2] {
          let outcome = try Program.run(["train", "--run-dir", scratch.file("run")] + arguments, ranks: ranks)
          #expect(outcome.code == code, "\(arguments): \(outcome.errors)")
          #expect(outcome.errorLines.count == 1 && outcome.errors.contains(words), "\(outcome.errors)")
        }
      }
    }
  }
}
