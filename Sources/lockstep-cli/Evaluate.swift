import ArgumentParser
import Lockstep

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures a checkpoint on the test data.",
    discussion: "Example: lockstep evaluate runs/first --data mnist")

  @Argument(help: "A checkpoint, or a run directory, whose newest whole checkpoint is meant.")
  var checkpoint: String

  @OptionGroup var data: DataOptions

  @OptionGroup var labels: LabelOptions

  @OptionGroup var strictness: StrictOption

  func run() throws {
    let world = try World.join()
    let test = try world.agree { try labels.choose(data.load(.test)) }
    let restored = try RestoredNetwork(
      checkpoint, for: test, strict: strictness.strict, program: lockstepVersion, communicator: world
    ) { Terminal.complain("warning: \($0)") }
    let evaluation = Evaluation(network: restored.network, data: restored.data, communicator: world)
    let result = try evaluation.run(restored.parameters)
    guard world.rank == 0 else { return }
    print(
      "\(singleLine(restored.path)): epoch \(restored.state.epoch), step \(restored.state.step)"
        + (restored.isAveraged ? ", averaged weights" : ""))
    if let report = result.report { print(ReportTable(report).text) }
    print("Test \(restored.network.loss.unit): \(fixed(result.sums.meanLoss, 4))")
    if let accuracy = result.accuracy { print("Test accuracy: \(fixed(accuracy, 4))") }
  }
}
