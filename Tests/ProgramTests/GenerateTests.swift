import Foundation
import Testing

extension ProgramTests {
  /// Images drawn from checkpoints.
  @Suite(.serialized)
  struct GenerateTests {
    /// A short run of `model` in `scratch`.
    private static func train(_ model: String, _ scratch: ScratchDirectory) throws -> String {
      try SmallSet().write(to: scratch.file("data"))
      let run = scratch.file(model)
      let outcome = try Program.run(
        ["train", "--model", model, "--epochs", "1", "--data", scratch.file("data"), "--run-dir", run])
      #expect(outcome.code == 0, "\(outcome.errors)")
      return run
    }

    private static func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    @Test(arguments: ["gpt", "wavenet"])
    func theSameSeedIsTheSamePicture(_ model: String) throws {
      let scratch = try ScratchDirectory()
      let run = try Self.train(model, scratch)
      let checkpoint = "\(run)/checkpoints/\(try #require(Program.checkpoints(run).last))"
      var pictures: [Data] = []
      for (number, (arguments, ranks)) in [
        ([run], nil), (["--run-dir", run], nil), ([checkpoint], 3), ([run, "--seed", "1"], nil),
        ([run, "--temperature", "0.2"], nil),
      ].enumerated() as EnumeratedSequence<[([String], Int?)]> {
        let picture = scratch.file("\(number).png")
        let outcome = try Program.run(["generate", "--count", "20", "--output", picture] + arguments, ranks: ranks)
        #expect(outcome.code == 0 && outcome.errorLines.isEmpty, "\(outcome.errors)")
        #expect(outcome.output.hasPrefix("\(picture): 20 images of ") && outcome.output.hasSuffix("\n"))
        pictures.append(try Self.bytes(picture))
      }
      #expect(pictures[0] == pictures[1] && pictures[0] == pictures[2], "another way to the same picture")
      #expect(Set(pictures).count == 3)
      #expect(pictures[0].starts(with: [0x89, 0x50, 0x4E, 0x47]))
    }

    @Test func whatCannotDrawIsOneLine() throws {
      let scratch = try ScratchDirectory()
      let (gpt, mlp) = (try Self.train("gpt", scratch), try Self.train("mlp", scratch))
      let bert = try Self.train("bert", scratch)
      let newest = "\(gpt)/checkpoints/\(try #require(Program.checkpoints(gpt).last))"
      var damaged = try Self.bytes(newest)
      damaged[damaged.count / 2] ^= 4
      try damaged.write(to: URL(fileURLWithPath: scratch.file("damaged.safetensors")))
      let picture = scratch.file("picture.png")
      let output = ["--output", picture]
      for (arguments, code, words) in [
        ([mlp] + output, 64, "is of model mlp, which predicts no pixels"),
        ([bert] + output, 64, "is of model bert, which predicts hidden pixels alone, and draws no images"),
        ([scratch.file("damaged.safetensors")] + output, 65, "damaged"),
        ([scratch.file("data/train-images-idx3-ubyte")] + output, 65, "header"),
        ([scratch.file("none")] + output, 66, "none"),
        ([gpt, "--output", scratch.file("no/picture.png")], 73, "no/picture.png"),
        ([gpt, "--output", scratch.path], 73, "rename"),
        (output, 64, "--run-dir"), ([gpt, "--run-dir", gpt] + output, 64, "--run-dir"), ([gpt], 64, "--output"),
        ([gpt, "--count", "0"] + output, 64, "--count 0"), ([gpt, "--count", "10001"] + output, 64, "--count"),
        ([gpt, "--temperature", "-1"] + output, 64, "--temperature"),
        ([gpt, "--temperature", "nan"] + output, 64, "--temperature"), ([gpt, "--seed", "-1"] + output, 64, "--seed"),
      ] as [([String], Int32, String)] {
        let outcome = try Program.run(["generate"] + arguments)
        #expect(outcome.code == code, "\(arguments): \(outcome.code) \(outcome.errors)")
        #expect(outcome.errorLines.count == 1 && outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: picture))
      }
    }

    /// The old picture or the new one, whatever fails, and no other file left.
    @Test func aFaultAtEveryCallKeepsAWholePicture() throws {
      let scratch = try ScratchDirectory()
      let run = try Self.train("wavenet", scratch)
      let faults = try WriteFaults(scratch)
      try faults.sweep("picture.png") { ["generate", run, "--count", "2", "--output", $0] }
    }
  }
}
