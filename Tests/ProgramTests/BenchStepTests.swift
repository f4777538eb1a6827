import Foundation
import Testing

extension ProgramTests {
  /// `lockstep bench step`: that it measures, and says what other programs read.
  @Suite struct BenchStepTests {
    private struct Report: Decodable {
      struct Layer: Decodable {
        var name: String
        var flop_per_sample: Int
        var forward_microseconds: Double
        var backward_microseconds: Double
      }

      var model: String
      var batch: Int
      var microbatch: Int
      var samples_per_second: Double
      var flop_per_sample: Int
      var gflops: Double
      var fma_peak_gflops: Double
      var fraction_of_fma_peak: Double
      var layers: [Layer]
    }

    @Test func reportsWhatItMeasured() throws {
      let outcome = try Program.run([
        "bench", "step", "--model", "article", "--batch", "64", "--seconds", "0.1", "--json",
      ])
      try #require(outcome.code == 0, "\(outcome.errors)")
      let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
      #expect(report.model == "article" && report.batch == 64 && report.microbatch == 8)
      // 3×3 products at 676 positions forward and 169 backward by 32 filters; 5408 by 10, forward and two gradients.
      #expect(report.flop_per_sample == 2 * 9 * 32 * (676 + 169) + 3 * 2 * 5408 * 10)
      #expect(report.layers.map(\.name) == ["convolution1", "dense1"])
      #expect(report.layers.map(\.flop_per_sample).reduce(0, +) == report.flop_per_sample)
      #expect(report.layers.allSatisfy { $0.forward_microseconds > 0 && $0.backward_microseconds > 0 })
      #expect(report.samples_per_second > 0 && report.fma_peak_gflops > 0)
      #expect(
        abs(report.gflops - report.samples_per_second * Double(report.flop_per_sample) * 1e-9) < 1e-6 * report.gflops)
      // No step does more products than the core can: what a wrong count of operations would show.
      #expect(report.fraction_of_fma_peak > 0 && report.fraction_of_fma_peak < 1)
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
