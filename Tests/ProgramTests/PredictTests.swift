import Foundation
import Lockstep
import Testing

extension ProgramTests {
  /// Pictures that are told by a trained network.
  @Suite(.serialized)
  struct PredictTests {
    /// A run in a directory of its own.
    private struct Trained: Sendable {
      let scratch: ScratchDirectory
      let run: String
    }

    /// A network of some seconds on real digits, trained once for all tests.
    private static let trained = Result { () throws -> Trained in
      let scratch = try ScratchDirectory()
      let run = scratch.file("run")
      let outcome = try Program.run(
        ["train", "--data", "mnist", "--subset", "20000", "--epochs", "2", "--validation", "0.1", "--run-dir", run],
        ranks: 2)
      try #require(outcome.code == 0, "\(outcome.errors)")
      return Trained(scratch: scratch, run: run)
    }

    /// Test images as PNG files, enlarged, every other one dark on light; and their labels.
    private static func write(_ count: Int, to directory: String) throws -> [Int] {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      let test = try ImageDataset.load(directory: ImageDataset.directory(named: "mnist"), part: .test)
      let (pixels, label) = (Buffer<Float>(count: 784), Buffer<Int32>(count: 1))
      return try (0..<count).map { index in
        test.copyInputs(in: index..<index + 1, into: pixels)
        test.copyLabels(in: index..<index + 1, into: label)
        var image = GreyImage(grid: pixels.array, rows: 28, columns: 28, scale: 1 + index % 7, gap: 0)
        if index % 2 == 1 { image.pixels = image.pixels.map { 255 - $0 } }
        try Data(image.png).write(to: URL(fileURLWithPath: "\(directory)/\(String(format: "%03d", index)).png"))
        return Int(label[0])
      }
    }

    private static func objects(_ output: String) throws -> [[String: Any]] {
      try output.split(separator: "\n").map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      }
    }

    @Test func digitsAreReadOnAnyNumberOfRanks() throws {
      let trained = try Self.trained.get()
      let (scratch, run) = (trained.scratch, trained.run)
      let directory = scratch.file("digits")
      let labels = try Self.write(120, to: directory)
      let alone = try Program.run(["predict", "--run-dir", run, "--json", directory])
      #expect(alone.code == 0 && alone.errorLines.isEmpty, "\(alone.errors)")
      let objects = try Self.objects(alone.output)
      #expect(objects.count == 120)
      let right = zip(objects, labels).filter { $0["label"] as? String == "\($1)" }.count
      #expect(right >= 112, "\(right) of 120")
      for (index, object) in objects.enumerated() {
        #expect(object["file"] as? String == "\(directory)/\(String(format: "%03d", index)).png")
        let all = try #require(object["probabilities"] as? [String: Double])
        #expect(all.count == 10 && abs(all.values.reduce(0, +) - 1) < 1e-5)
        #expect(object["probability"] as? Double == all.values.max())
      }
      for ranks in [2, 3] {
        let together = try Program.run(["predict", "--run-dir", run, "--json", directory], ranks: ranks)
        #expect(together.output == alone.output && together.code == 0, "\(ranks) ranks: \(together.errors)")
      }
      // In words, and from standard input.
      let file = "\(directory)/000.png"
      let words = try Program.run(["predict", "--run-dir", run, file])
      #expect(
        words.output.wholeMatch(of: /.+\/000\.png: 7 \(\d+(\.\d)? %\), \d \(.+ %\), \d \(.+ %\)\n/) != nil,
        "\(words.output)")
      let input = try Program.start(
        ["predict", "--run-dir", run, "-"], script: "exec \"$@\" <'\(file)'"
      ).wait()
      #expect(input.code == 0 && input.output.hasPrefix("-: 7 ("), "\(input.errors)")
    }

    @Test func aTemperatureMakesProbabilitiesLikelier() throws {
      let trained = try Self.trained.get()
      let (scratch, run) = (trained.scratch, trained.run)
      let directory = scratch.file("calibrated")
      let labels = try Self.write(40, to: directory)
      let plain = try Program.run(["predict", "--run-dir", run, "--json", directory])
      let calibrated = try Program.run(["predict", "--run-dir", run, "--json", "--calibrate", directory])
      #expect(calibrated.code == 0, "\(calibrated.errors)")
      let line = try #require(
        calibrated.errors.firstMatch(of: /temperature (\d+\.\d{3}) fitted on the run's validation data/))
      let temperature = try #require(Double(line.1))
      #expect(temperature > 0.5 && temperature < 3)
      // The order of the classes stays, and the probabilities are powers of one another.
      for (one, other) in zip(try Self.objects(plain.output), try Self.objects(calibrated.output)) {
        #expect(one["label"] as? String == other["label"] as? String)
        let (before, after) = (one["probabilities"] as? [String: Double], other["probabilities"] as? [String: Double])
        let (first, second) = (try #require(before), try #require(after))
        let (a, b) = (log(first["3"]! / first["8"]!), log(second["3"]! / second["8"]!))
        #expect(abs(a / temperature - b) < 0.01 * max(1, abs(b)))
      }
      #expect(labels.count == 40)
    }

    @Test func whatCannotBeToldIsOneLineAndTheOthersAreTold() throws {
      let trained = try Self.trained.get()
      let (scratch, run) = (trained.scratch, trained.run)
      let directory = scratch.file("mixed")
      _ = try Self.write(2, to: directory)
      let (good, other) = ("\(directory)/000.png", "\(directory)/001.png")
      func write(_ name: String, _ bytes: Data) throws -> String {
        try bytes.write(to: URL(fileURLWithPath: scratch.file(name)))
        return scratch.file(name)
      }
      let whole = try Data(contentsOf: URL(fileURLWithPath: good))
      let (empty, cut) = (try write("empty.png", Data()), try write("cut.png", whole.prefix(whole.count / 2)))
      let text = try write("text.jpg", Data("no picture\n".utf8))
      let blank = try write("blank.png", Data(GreyImage(rows: 9, columns: 9, filledWith: 255).png))
      let huge = try write("huge.png", Self.header(of: whole, rows: 30_000, columns: 30_000))
      for ranks in [nil, 3] as [Int?] {
        let outcome = try Program.run(
          ["predict", "--run-dir", run, good, empty, cut, text, blank, huge, scratch.file("none.png"), other],
          ranks: ranks)
        #expect(outcome.code == 65, "the first fault's code: \(outcome.code)")
        #expect(outcome.output.split(separator: "\n").count == 2)
        let lines = outcome.errorLines
        try #require(lines.count == 6, "\(outcome.errors)")
        for (line, words) in zip(
          lines,
          [
            "empty.png: is empty", "cut.png: is no whole PNG", "text.jpg: is neither", "blank.png: shows nothing",
            "huge.png: is of 30000 by 30000", "none.png: ",
          ])
        { #expect(line.hasPrefix("lockstep: ") && line.contains(words), "\(line)") }
      }
      try FileManager.default.createDirectory(atPath: scratch.file("nothing"), withIntermediateDirectories: true)
      for (arguments, code, words) in [
        (["--run-dir", run, scratch.file("none.png")], 66, "none.png"), (["--run-dir", run], 64, "files"),
        (["--run-dir", scratch.file("none"), good], 66, "none"),
        (["--run-dir", run, scratch.file("nothing")], 66, "nothing"),
        (["--run-dir", run, "--input", "8x8x1", good], 65, "dense1.weights"),
        (["--run-dir", run, "--input", "8x8x3", good], 64, "grey"),
        (["--run-dir", run, "--data", "mnist", good], 64, "--calibrate"),
      ] as [([String], Int32, String)] {
        let outcome = try Program.run(["predict"] + arguments)
        #expect(
          outcome.code == code && outcome.errorLines.count == 1, "\(arguments): \(outcome.code) \(outcome.errors)")
        #expect(outcome.errors.contains(words) && outcome.output.isEmpty, "\(outcome.errors)")
      }
    }

    /// A PNG file whose header says another size, with its checksum.
    private static func header(of file: Data, rows: UInt32, columns: UInt32) -> Data {
      var file = [UInt8](file)
      for (place, value) in [(16, columns), (20, rows)] {
        for byte in 0..<4 { file[place + byte] = UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32(byte))) }
      }
      let checksum = ~file[12..<29].reduce(~UInt32(0)) { sum, byte in
        (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
      }
      for byte in 0..<4 { file[29 + byte] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * UInt32(byte))) }
      return Data(file)
    }
  }
}
