import ArgumentParser

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures this machine: how fast it trains, and what holds it back.",
    subcommands: [BenchStep.self, BenchKernels.self, BenchAllreduce.self, BenchScaling.self])
}
