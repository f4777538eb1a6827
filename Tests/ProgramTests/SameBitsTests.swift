import Foundation
import Lockstep
import Testing

extension ProgramTests {
  /// The idea of the whole: the number of ranks decides how fast, never what.
  @Suite(.serialized)
  struct SameBitsTests {
    static let recipes: [(name: String, arguments: [String])] = [
      ("article, one epoch", ["--model", "article"]),
      ("mlp", ["--model", "mlp", "--max-steps", "200"]),
      ("passes of several microbatches", ["--model", "mlp", "--global-batch", "256", "--max-steps", "60"]),
      ("a short last microbatch", ["--model", "article", "--global-batch", "100"]),
      ("a short last batch", ["--model", "mlp:784-64-10", "--global-batch", "7000"]),
      ("dropout", ["--model", "keras-convnet", "--max-steps", "40"]),
      ("a schedule", ["--schedule", "cosine", "--warmup", "50", "--max-steps", "200"]),
      ("without shared memory", ["--model", "article", "--no-shared-memory", "--max-steps", "200"]),
      ("clipped", ["--model", "article", "--clip-norm", "0.5", "--max-steps", "200"]),
      ("clipped by sample", ["--model", "article", "--sample-clip-norm", "1", "--max-steps", "40"]),
      ("sharded", ["--model", "article", "--no-shared-memory", "--optimizer-sharding", "--max-steps", "200"]),
      ("adamw", ["--model", "article", "--optimizer", "adamw", "--max-steps", "100"]),
      ("vgg", ["--model", "vgg", "--max-steps", "4"]),
      ("rnn", ["--model", "rnn", "--max-steps", "40"]),
      ("lstm", ["--model", "lstm", "--max-steps", "20"]),
      ("gru", ["--model", "gru", "--max-steps", "20"]),
      ("vit", ["--model", "vit", "--max-steps", "6"]),
      ("bert", ["--model", "bert", "--max-steps", "6"]),
      ("resnet", ["--model", "resnet", "--max-steps", "4"]),
      (
        "augmented, with dropout and averages",
        [
          "--model", "keras-convnet", "--augment", "shift:2,rotate:10,scale:0.1,shear:5,elastic,crop:1,erase", "--ema",
          "0.99", "--max-steps", "30",
        ]
      ),
      ("parts of the data", ["--subset", "5000", "--validation", "0.1", "--freeze", "dense*", "--global-batch", "64"]),
      ("binary", ["--model", "article", "--task", "binary:3", "--max-steps", "100"]),
    ]

    @Test(arguments: recipes.indices)
    func digestIsTheSameAtEveryWorldSize(_ index: Int) throws {
      let recipe = Self.recipes[index]
      var digests: [String] = []
      // What a large network adds to the others' proof, four ranks show, and few images: their evaluation would take the most time.
      let isLarge = ["vgg", "vit", "bert", "resnet"].contains(recipe.name)
      let data = try ScratchDirectory()
      if isLarge { try SmallSet(samples: 384).write(to: data.file("small")) }
      for ranks in isLarge ? [1, 2, 3, 4] : [nil, 1, 2, 3, 4, 8] {
        let scratch = try ScratchDirectory()
        let outcome = try Program.run(
          ["train", "--epochs", "1", "--run-dir", scratch.file("run")] + recipe.arguments
            + (isLarge ? ["--data", data.file("small")] : []), ranks: ranks)
        #expect(outcome.code == 0, "\(recipe.name) at \(ranks ?? 0) ranks: \(outcome.errors)")
        digests.append(try #require(outcome.weightsDigest))
      }
      print("\(recipe.name): \(digests[0])")
      #expect(Set(digests).count == 1, "\(recipe.name): \(digests)")
    }

    /// Ranks that share memory or not, keep all moments or a slice: one digest.
    @Test(arguments: ["article", "mlp"])
    func digestIsTheSameInEveryWay(_ model: String) throws {
      var digests: Set<String> = []
      for ways in [
        [], ["--no-shared-memory"], ["--optimizer-sharding"], ["--no-shared-memory", "--optimizer-sharding"],
      ] {
        for ranks in [1, 2, 3, 4, 8] {
          let scratch = try ScratchDirectory()
          let outcome = try Program.run(
            ["train", "--model", model, "--max-steps", "25", "--run-dir", scratch.file("run")] + ways, ranks: ranks)
          #expect(outcome.code == 0, "\(ways) at \(ranks) ranks: \(outcome.errors)")
          digests.insert(try #require(outcome.weightsDigest))
        }
      }
      #expect(digests.count == 1)
    }

    @Test func theSeedDecides() throws {
      let digests = try ["0", "1"].map { seed in
        let scratch = try ScratchDirectory()
        return try Program.run(
          ["train", "--seed", seed, "--max-steps", "20", "--run-dir", scratch.file("run")]
        ).weightsDigest
      }
      #expect(digests[0] != digests[1])
    }

    /// Ranks that are threads of this process, and ranks that are processes.
    @Test func threadsComputeWhatProcessesCompute() throws {
      let directory = try ImageDataset.directory(named: "mnist")
      let training = try ImageDataset.load(directory: directory, part: .train)
      let test = try ImageDataset.load(directory: directory, part: .test)
      let scratch = try ScratchDirectory()
      let processes = try Program.run(
        ["train", "--epochs", "1", "--global-batch", "48", "--max-steps", "60", "--run-dir", scratch.file("run")],
        ranks: 2)
      var recipe = Recipe(
        model: try .named("article", input: training.inputShape, outputs: 10), loss: SoftmaxCrossEntropy(classes: 10))
      recipe.epochs = 1
      recipe.globalBatch = 48
      var options = RunOptions()
      options.maxSteps = 60
      for size in [1, 2, 3, 4] {
        let summaries = try InProcessCommunicator.run(size: size) { [recipe, options] communicator in
          try Trainer(recipe, training: training, test: test, options: options, on: communicator).run()
        }
        #expect(summaries.map(\.weightsDigest) == Array(repeating: processes.weightsDigest, count: size))
        #expect(Set(summaries.map(\.testAccuracy)).count == 1)
      }
    }

    @Test func evaluationIsTheSameAtEveryWorldSize() throws {
      let scratch = try ScratchDirectory()
      let run = scratch.file("run")
      let trained = try Program.run(["train", "--max-steps", "50", "--run-dir", run])
      let summary = try JSONDecoder().decode(
        TrainingSummary.self, from: Data(contentsOf: URL(fileURLWithPath: "\(run)/summary.json")))
      #expect(summary.weightsDigest == trained.weightsDigest)
      for ranks in [nil, 2, 3] {
        let evaluated = try Program.run(["evaluate", run], ranks: ranks)
        #expect(evaluated.code == 0, "\(evaluated.errors)")
        #expect(evaluated.value(of: "Test accuracy") == trained.value(of: "Test accuracy"))
        #expect(evaluated.value(of: "Test loss") == fixed(summary.testLoss, 4))
      }
    }
  }
}
