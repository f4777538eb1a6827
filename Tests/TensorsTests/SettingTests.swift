import Tensors
import Testing

@Suite struct SettingTests {
  /// In this process no program has named flags.
  @Test func settingsAreNamedByTheirProperties() {
    #expect("\(Setting.globalBatch)" == "globalBatch")
    #expect(Setting.allCases.allSatisfy { $0.description == $0.rawValue })
  }

  @Test func flagsAreThoseOfTheProgram() {
    let flags = Setting.allCases.map(\.flag)
    #expect(Set(flags).count == flags.count)
    #expect(
      flags == [
        "--data", "--input", "--model", "--task", "--epochs", "--global-batch", "--microbatch", "--warmup",
        "--clip-norm",
        "--sample-clip-norm", "--reduction", "--learning-rate", "--momentum", "--nesterov", "--weight-decay",
        "--no-shared-memory",
        "--optimizer-sharding", "--on-nonfinite", "--nonfinite-limit", "--run-dir", "--keep", "--resume",
        "--max-steps", "--max-time", "--trace",
        "--augment", "--validation", "--subset", "--labels", "--init-from", "--freeze", "--ema",
        "--scale-learning-rate", "--early-stopping", "--save-best", "--steps", "--epsilon", "--delta",
        "--noise-multiplier", "--test-data",
        "--test-fraction", "--target", "--ignore",
        "--missing", "--class-weights", "--label-smoothing", "--rounds", "--clients", "--partition",
        "--client-fraction",
        "--local-epochs", "--local-batch", "--learning-rate-decay", "--server-learning-rate", "--stragglers",
        "--dropouts",
        "--update-clip", "--clip-quantile", "--clip-rate", "--count-noise", "--secure-aggregation",
      ])
  }
}
