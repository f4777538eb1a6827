import Foundation
import Lockstep
import Testing

extension ProgramTests {
  /// Explanations of pictures and test images, as files, lines and in the report.
  @Suite(.serialized)
  struct ExplainTests {
    /// A run on images of 8×8, in a directory of its own.
    private struct Trained: Sendable {
      let scratch: ScratchDirectory
      let data: String
      let run: String
    }

    private static let trained = Result { () throws -> Trained in
      let scratch = try ScratchDirectory()
      let (data, run) = (scratch.file("data"), scratch.file("run"))
      try SmallSet().write(to: data)
      let outcome = try Program.run(["train", "--epochs", "2", "--data", data, "--run-dir", run])
      try #require(outcome.code == 0, "\(outcome.errors)")
      return Trained(scratch: scratch, data: data, run: run)
    }

    /// A picture of an upright line.
    private static func writeLine(to path: String) throws {
      var image = GreyImage(rows: 24, columns: 20, filledWith: 0)
      for row in 3..<21 { for column in 9..<12 { image.pixels[row * 20 + column] = 255 } }
      try Data(image.png).write(to: URL(fileURLWithPath: path))
    }

    private static func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    @Test func sameBitsOnAnyNumberOfRanks() throws {
      let trained = try Self.trained.get()
      let (scratch, run) = (trained.scratch, trained.run)
      let picture = scratch.file("line.png")
      try Self.writeLine(to: picture)
      let files = ["maps.png", "maps.npz", "maps.safetensors"].map { scratch.file($0) }
      var found: Set<[Data]> = []
      for ranks in [nil, 1, 2, 3, 4] as [Int?] {
        for maps in files[1...] {
          let outcome = try Program.run(
            [
              "explain", "--run-dir", run, "--images", "3,0-2", "--methods", "all", "--window", "2", "--steps", "40",
              "--output", files[0], "--write-maps", maps, "--json", picture,
            ], ranks: maps.hasSuffix("npz") ? ranks : nil)
          #expect(outcome.code == 0 && outcome.errorLines.isEmpty, "\(outcome.errors)")
          found.insert([Data(outcome.output.utf8)] + (try [files[0], files[1]].map(Self.bytes)))
        }
      }
      #expect(found.count == 1)

      let lines = String(decoding: try #require(found.first)[0], as: UTF8.self).split(separator: "\n")
      #expect(lines.count == 5)
      let names = ["saliency", "smoothgrad", "integrated-gradients", "grad-cam", "occlusion", "shapley"]
      let tensors = try SafeTensorsFile(files[2])
      for (index, line) in lines.enumerated() {
        let object = try JSONValue(Array(line.utf8))
        #expect(object["picture"] == .string(index == 4 ? picture : "test image \([3, 0, 1, 2][index])"))
        #expect(object["class"] == (index == 4 ? nil : .string("\([3, 0, 1, 2][index])")))
        #expect(object["target"] == object["predicted"])
        guard case .array(let explanations) = object["explanations"] else { throw ScratchError.none }
        #expect(explanations.map { $0["method"] } == names.map { .string($0) })
        for (name, explanation) in zip(names, explanations) {
          guard case .array(let rows) = explanation["map"] else { throw ScratchError.none }
          let values = rows.flatMap { row -> [Float] in
            guard case .array(let row) = row else { return [] }
            return row.compactMap { if case .number(let text) = $0 { Float(text) } else { nil } }
          }
          let tensor = Buffer<Float>(count: 5 * 64)
          try tensors.read(name, shape: [5, 8, 8, 1], into: tensor)
          #expect(rows.count == 8 && values == tensor[index * 64..<(index + 1) * 64].array)
          func number(_ key: String) -> Double? {
            if case .number(let text) = explanation[key] { Double(text) } else { nil }
          }
          for key in ["deletion", "insertion"] { #expect(try (0...1).contains(#require(number(key)))) }
          let hasGap = ["integrated-gradients", "shapley"].contains(name)
          #expect((number("gap") != nil) == hasGap && number("relative_gap").map { $0 < 0.05 } ?? !hasGap)
        }
      }
      // Five rows of a picture and six maps, each of 8 × 14 pixels a side, with gaps of 4.
      let image = try GreyImage(file: [UInt8](Self.bytes(files[0])))
      #expect(image.rows == 5 * (112 + 4) + 4 && image.columns == 7 * (112 + 4) + 4)
    }

    @Test func linesSayWhatWasFound() throws {
      let trained = try Self.trained.get()
      let base = ["explain", "--run-dir", trained.run, "--images", "5"]
      let outcome = try Program.run(base + ["--methods", "integrated-gradients,occlusion", "--target", "3"])
      let lines = outcome.output.split(separator: "\n")
      #expect(outcome.code == 0 && lines.count == 3, "\(outcome.output) \(outcome.errors)")
      #expect(
        lines[0].wholeMatch(of: /test image 5: \d \(\d+(\.\d)? %\), its class is 5; explained: 3, logit -?\d+\.\d{4}/)
          != nil,
        "\(lines)")
      #expect(
        lines[1].wholeMatch(
          of:
            /\ \ integrated-gradients: deletion 0\.\d{4}, insertion 0\.\d{4}, gap \d\.\d\de-\d+ \(\d\.\d\de-\d+ of the logit's range\)/
        )
          != nil, "\(lines)")
      #expect(lines[2].wholeMatch(of: /\ \ occlusion: deletion 0\.\d{4}, insertion 0\.\d{4}/) != nil, "\(lines)")
      let other = try Program.run(
        base + ["--of", "probability", "--baseline", "-1", "--rule", "middle", "--steps", "30"])
      #expect(
        other.code == 0 && other.output.contains(", probability 0.") && other.output.contains("probability's range"))
      // What is drawn follows from the seed.
      func maps(_ more: [String]) throws -> String {
        try Program.run(base + ["--json", "--methods", "smoothgrad,shapley", "--samples", "3"] + more).output
      }
      let first = try maps([])
      #expect(try maps(["--seed", "0"]) == first)
      #expect(try maps(["--seed", "1"]) != first)
    }

    @Test func theReportShowsThem() throws {
      let trained = try Self.trained.get()
      let explained = try Program.run(
        [
          "explain", "--run-dir", trained.run, "--images", "0-1", "--methods", "saliency,grad-cam", "--report",
        ], ranks: 2)
      let file = "\(trained.run)/explanations.json"
      #expect(
        explained.code == 0 && explained.output.hasSuffix("\n\(file)\n"), "\(explained.output) \(explained.errors)")
      let reported = try Program.run(["report", trained.run])
      #expect(reported.code == 0 && reported.errors.isEmpty, "\(reported.errors)")
      let page = try String(contentsOfFile: "\(trained.run)/report.html", encoding: .utf8)
      let section = try #require(page.split(separator: "<h2>Explanations</h2>").last)
      #expect(section.contains("test image 1: taken for ") && section.contains("saliency: deletion 0."))
      #expect(section.components(separatedBy: "<img src=\"data:image/png;base64,").count - 1 == 6)

      let whole = try Self.bytes(file)
      try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: file))
      let damaged = try Program.run(["report", trained.run])
      #expect(damaged.code == 65 && damaged.errorLines.count == 1 && damaged.errors.contains("explanations.json"))
      try FileManager.default.removeItem(atPath: file)
    }

    @Test func aTransformerAndARecurrentNetAreExplained() throws {
      let trained = try Self.trained.get()
      for (model, methods) in [
        ("vit", ["saliency", "smoothgrad", "integrated-gradients", "occlusion", "shapley", "rollout"]),
        ("gru", ["saliency", "smoothgrad", "integrated-gradients", "occlusion", "shapley"]),
        ("resnet", ["saliency", "smoothgrad", "integrated-gradients", "grad-cam", "occlusion", "shapley"]),
      ] {
        let run = trained.scratch.file(model)
        let outcome = try Program.run([
          "train", "--model", model, "--epochs", "1", "--max-steps", "2", "--data", trained.data, "--run-dir", run,
        ])
        #expect(outcome.code == 0, "\(outcome.errors)")
        let explained = try Program.run(
          ["explain", "--run-dir", run, "--images", "0", "--methods", "all", "--samples", "2", "--steps", "20"],
          ranks: 2)
        let found = explained.output.matches(of: /\ \ ([a-z-]+): deletion/).map { String($0.1) }
        #expect(explained.code == 0 && found == methods, "\(model): \(explained.output) \(explained.errors)")
      }
      let rollout = try Program.run([
        "explain", "--run-dir", trained.scratch.file("vit"), "--images", "0", "--methods", "grad-cam",
      ])
      #expect(
        rollout.code == 64
          && rollout.errors == "lockstep: grad-cam needs a convolution, and model vit has none; choose another method\n"
      )
    }

    @Test func whatCannotBeExplainedIsOneLine() throws {
      let trained = try Self.trained.get()
      let (scratch, run) = (trained.scratch, trained.run)
      let (good, text) = (scratch.file("good.png"), scratch.file("text.png"))
      try Self.writeLine(to: good)
      try Data("no picture\n".utf8).write(to: URL(fileURLWithPath: text))
      // A picture that cannot be read does not keep the others from being explained.
      for ranks in [nil, 3] as [Int?] {
        let outcome = try Program.run(
          ["explain", "--run-dir", run, "--input", "8x8x1", text, good, scratch.file("none.png"), "--methods", "all"],
          ranks: ranks)
        #expect(outcome.code == 65 && outcome.errorLines.count == 2, "\(outcome.code) \(outcome.errors)")
        #expect(outcome.errorLines[0].contains("text.png: is neither") && outcome.errorLines[1].contains("none.png: "))
        #expect(outcome.output.hasPrefix(good) && outcome.output.split(separator: "\n").count == 7)
      }
      let image = ["--run-dir", run, "--images", "0"]
      let regression = scratch.file("numbers")
      let rows = (0..<60).map { "\($0 % 7),\($0 % 5),\(Double($0 % 7) / 4)" }
      try (["a,b,y"] + rows).joined(separator: "\n").write(
        toFile: scratch.file("table.csv"), atomically: true, encoding: .utf8)
      let made = try Program.run([
        "train", "--data", scratch.file("table.csv"), "--task", "regress", "--epochs", "1", "--run-dir", regression,
      ])
      #expect(made.code == 0, "\(made.errors)")
      for (arguments, code, words) in [
        (["--run-dir", run], 64, "give pictures"), (["--run-dir", run, "--images", "5-3"], 64, "--images 5-3"),
        (["--run-dir", run, "--images", "1,,2"], 64, "--images 1,,2"),
        (["--run-dir", run, "--images", "96"], 64, "test image 96"),
        (["--run-dir", run, "--images", "0-99999"], 64, "at most 10,000"),
        (image + ["--methods", "lime"], 64, "\"lime\""),
        (image + ["--methods", "saliency,saliency"], 64, "twice"), (image + ["--methods", ""], 64, "--methods"),
        (image + ["--methods", "rollout"], 64, "attention"), (image + ["--target", "11"], 64, "0, 1, 2"),
        (image + ["--layer", "x", "--methods", "grad-cam"], 64, "convolution1, relu1, maxpool1"),
        (image + ["--steps", "0"], 64, "--steps"),
        (image + ["--noise", "nan"], 64, "--noise"), (image + ["--window", "0"], 64, "--window"),
        (image + ["--stride", "5"], 64, "--stride"),
        (image + ["--input", "8x8x1"], 64, "--input"),
        (image + ["--write-maps", "x.csv"], 64, "--write-maps"),
        (["--run-dir", run, "--data", "mnist", good], 64, "--data"),
        (["--run-dir", run, "--input", "8x8x3", good], 64, "grey"), (["--run-dir", run, good], 65, "dense1.weights"),
        (["--run-dir", scratch.file("nothing"), "--images", "0"], 66, "nothing"),
        (["--run-dir", run, "--images", "0", "--data", scratch.file("nothing")], 66, "nothing"),
        (["--run-dir", regression, "--images", "0", "--data", trained.data], 65, "regress"),
        (image + ["--output", scratch.file("no/a.png")], 73, "no/a.png"),
        (image + ["--write-maps", scratch.file("no/a.npz")], 73, "no/a.npz"),
        (image + ["--write-maps", scratch.file("no/a.safetensors")], 73, "no/a.safetensors"),
        (
          [
            "--run-dir", "\(run)/checkpoints/\(try #require(Program.checkpoints(run).last))", "--images", "0", "--data",
            trained.data, "--report",
          ], 64, "needs a run directory"
        ),
      ] as [([String], Int32, String)] {
        for ranks in code == 66 ? [nil, 2] : [nil] as [Int?] {
          let outcome = try Program.run(["explain"] + arguments, ranks: ranks)
          #expect(
            outcome.code == code && outcome.errorLines.count == 1 && outcome.errors.contains(words),
            "\(arguments): \(outcome.code) \(outcome.errors)")
          #expect(outcome.output.isEmpty)
        }
      }
      let different = try Program.run(
        ["explain"] + image, ranks: 2, others: ["explain"] + image + ["--methods", "saliency"])
      #expect(different.code == 64 && different.errors.contains("methods saliency"), "\(different.errors)")
    }

    @Test func filesAreWrittenWholeOrNotAtAll() throws {
      let trained = try Self.trained.get()
      let faults = try WriteFaults(trained.scratch)
      let base = ["explain", "--run-dir", trained.run, "--images", "0", "--methods", "saliency"]
      try faults.sweep("maps.png") { base + ["--output", $0] }
      try faults.sweep("maps.npz") { base + ["--write-maps", $0] }
      try faults.sweep("maps.safetensors") { base + ["--write-maps", $0] }
      let file = "\(trained.run)/explanations.json"
      #expect(try Program.run(base + ["--report"]).code == 0)
      let whole = try Self.bytes(file)
      var count = 0
      for call in ["open", "write", "fsync", "close", "rename"] {
        for number in 1...20 {
          try Data("old".utf8).write(to: URL(fileURLWithPath: file))
          let outcome = try Program.run(
            base + ["--report"], environment: faults.environment(call, number, on: "explanations.json"))
          let found = try Self.bytes(file)
          guard outcome.code != 0 else {
            #expect(found == whole && number > 1, "\(call) \(number)")
            break
          }
          #expect(
            outcome.code == 73 && outcome.errorLines.count == 1 && found == Data("old".utf8),
            "\(call): \(outcome.errors)")
          count += 1
        }
      }
      #expect(count >= 5)
      let left = try FileManager.default.contentsOfDirectory(atPath: trained.run).filter { $0.hasSuffix(".tmp") }
      #expect(left == [])
      try FileManager.default.removeItem(atPath: file)
    }

    private enum ScratchError: Error { case none }
  }
}
