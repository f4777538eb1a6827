import Foundation
import Testing

extension ProgramTests {
  /// `lockstep bench step`: that it measures, and says what other programs read.
  @Suite struct BenchStepTests {
    private struct Report: Decodable {
      struct Layer: Decodable {
        var name: String
        var flopPerSample: Int
        var forwardMicroseconds: Double
        var backwardMicroseconds: Double
      }

      var model: String
      var batch: Int
      var microbatch: Int
      var samplesPerSecond: Double
      var flopPerSample: Int
      var gflops: Double
      var fmaPeakGflops: Double
      var fractionOfFmaPeak: Double
      var layers: [Layer]
    }

    @Test func reportsWhatItMeasured() throws {
      let outcome = try Program.run([
        "bench", "step", "--model", "article", "--batch", "64", "--seconds", "0.1", "--json",
      ])
      try #require(outcome.code == 0, "\(outcome.errors)")
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      let report = try decoder.decode(Report.self, from: Data(outcome.output.utf8))
      #expect(report.model == "article" && report.batch == 64 && report.microbatch == 8)
      // 3×3 products at 676 positions forward and 169 backward by 32 filters; 5408 by 10, forward and two gradients.
      #expect(report.flopPerSample == 2 * 9 * 32 * (676 + 169) + 3 * 2 * 5408 * 10)
      #expect(report.layers.map(\.name) == ["convolution1", "dense1"])
      #expect(report.layers.map(\.flopPerSample).reduce(0, +) == report.flopPerSample)
      #expect(report.layers.allSatisfy { $0.forwardMicroseconds > 0 && $0.backwardMicroseconds > 0 })
      #expect(report.samplesPerSecond > 0 && report.fmaPeakGflops > 0)
      #expect(
        abs(report.gflops - report.samplesPerSecond * Double(report.flopPerSample) * 1e-9) < 1e-6 * report.gflops)
      // Of two short times on a busy machine: any ratio can come out.
      #expect(report.fractionOfFmaPeak > 0 && report.fractionOfFmaPeak.isFinite)
    }

    @Test func tableHasALineALayer() throws {
      let outcome = try Program.run(["bench", "step", "--model", "mlp", "--microbatch", "16", "--seconds", "0.05"])
      try #require(outcome.code == 0, "\(outcome.errors)")
      let first = outcome.output.split(separator: "\n").map { $0.prefix { $0 != " " } }
      #expect(first == ["mlp,", first[1], "layer", "dense1", "relu", "dense2", "relu", "dense3", "the"])
      #expect(outcome.output.hasPrefix("mlp, batch 256 in microbatches of 16,"))
    }
  }
}
