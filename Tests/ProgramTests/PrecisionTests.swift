import Foundation
import Lockstep
import Testing

extension ProgramTests {
  /// `--precision bf16`.
  @Suite(.serialized)
  struct PrecisionTests {
    private static let run = ["train", "--model", "mlp:784-64-10", "--max-steps", "60"]
    private static let rounded = run + ["--precision", "bf16"]

    /// The convolutional nets on real images; the others, whose evaluations would be most of the time, on few small ones.
    @Test(arguments: [
      "mlp", "article", "keras-convnet", "pytorch-convnet", "vgg", "resnet", "rnn", "lstm", "gru", "vit", "bert", "gpt",
      "wavenet",
    ])
    func `Every number of ranks has one digest`(_ model: String) throws {
      let scratch = try ScratchDirectory()
      var arguments = ["train", "--model", model, "--precision", "bf16", "--global-batch", "32", "--max-steps", "6"]
      if !["mlp", "article", "keras-convnet", "pytorch-convnet"].contains(model) {
        try SmallSet(samples: 384).write(to: scratch.file("small"))
        arguments += ["--data", scratch.file("small")]
      }
      var digests: Set<String> = []
      for (ranks, more) in [(nil, []), (2, []), (3, ["--no-shared-memory"]), (4, []), (8, [])] as [(Int?, [String])] {
        let outcome = try Program.run(arguments + ["--run-dir", scratch.file("\(ranks ?? 1)")] + more, ranks: ranks)
        #expect(outcome.code == 0, "\(outcome.errors)")
        digests.insert(try #require(outcome.weightsDigest))
      }
      print("\(model), bf16: \(digests)")
      #expect(digests.count == 1)
      let single = try Program.run(
        arguments.map { $0 == "bf16" ? "fp32" : $0 } + ["--run-dir", scratch.file("single")])
      #expect(!digests.contains(try #require(single.weightsDigest)))
    }

    @Test func `A run goes on in its own precision alone, and is evaluated in it`() throws {
      let scratch = try ScratchDirectory()
      let directory = ["--run-dir", scratch.file("run")]
      let stopped = try Program.run(Self.rounded + directory)
      #expect(stopped.code == 0, "\(stopped.errors)")
      let other = try Program.run(Self.run + directory)
      #expect(other.code == 65 && other.errors.contains("precision is bf16 there and fp32 here"), "\(other.errors)")
      let back = try Program.run(Self.run + ["--run-dir", scratch.file("single")])
      #expect(back.code == 0)
      let crossed = try Program.run(Self.rounded + ["--run-dir", scratch.file("single")])
      #expect(
        crossed.code == 65 && crossed.errors.contains("precision is fp32 there and bf16 here"), "\(crossed.errors)")
      let summary = try String(contentsOfFile: scratch.file("run/summary.json"), encoding: .utf8)
      let evaluated = try Program.run(["evaluate", scratch.file("run"), "--json"])
      let loss = try #require(summary.firstMatch(of: /"test_loss" : ([0-9.]+)/)?.output.1)
      #expect(evaluated.code == 0 && evaluated.output.contains(loss), "\(evaluated.errors)")
      let further = Self.rounded.map { $0 == "60" ? "80" : $0 }
      let resumed = try Program.run(further + directory, ranks: 2)
      let whole = try Program.run(further + ["--run-dir", scratch.file("whole")])
      #expect(resumed.code == 0 && resumed.weightsDigest == whole.weightsDigest, "\(resumed.errors)")
    }

    @Test func `Samples are clipped by their rounded gradients, on any number of ranks`() throws {
      var digests: Set<String> = []
      for ranks in [nil, 2] as [Int?] {
        let scratch = try ScratchDirectory()
        let outcome = try Program.run(
          Self.rounded + ["--sample-clip-norm", "1", "--run-dir", scratch.file("run")], ranks: ranks)
        #expect(outcome.code == 0, "\(outcome.errors)")
        digests.insert(try #require(outcome.weightsDigest))
      }
      #expect(digests.count == 1)
    }

    @Test func `Another precision is refused by name`() throws {
      let refused = try Program.run(["train", "--precision", "fp16"])
      #expect(refused.code == 64 && refused.errors.contains("fp16"), "\(refused.errors)")
    }
  }
}
