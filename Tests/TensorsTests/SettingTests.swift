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
        "--data", "--model", "--task", "--epochs", "--global-batch", "--microbatch", "--learning-rate", "--warmup",
        "--clip-norm", "--no-shared-memory", "--on-nonfinite", "--nonfinite-limit", "--run-dir", "--resume",
        "--max-steps",
        "--max-time",
      ])
  }
}
