import ArgumentParser
import CEarly
import Kernels
import Lockstep

/// The program `lockstep`.
@main
struct LockstepProgram: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lockstep",
    abstract: "Trains neural networks on all cores of one or many machines, with the same bits on any number of them.",
    discussion: """
      Start it alone for one rank, or under mpirun for many: mpirun -n 4 lockstep train --data mnist

      Exit codes: 0 done, 64 wrong arguments, 65 bad data, 66 missing input, 70 a rank failed, 73 cannot write, \
      75 stopped by a signal or --max-time after a checkpoint: run again to go on. An error is one line on standard error.
      """,
    version: lockstepVersion,
    subcommands: [
      Train.self, Federate.self, Evaluate.self, Generate.self, Predict.self, Explain.self, Export.self, Report.self,
      Card.self,
      Top.self,
      Inspect.self,
      PrivacyCost.self, Audit.self, Anonymise.self, Doctor.self,
      Bench.self,
    ])

  static func main() {
    Setting.nameFlags()
    World.prepare(stopsRuns: Arguments.isRun)
    Arguments.refuseUnreadable()
    Arguments.refuseAccumulation()
    if CommandLine.arguments.dropFirst() == ["--version"] {
      if World.isFirst { for line in VersionText.lines { print(singleLine(line)) } }
      World.leave(code: 0)
    }
    // Every rank parses the same arguments, and rank 0 speaks.
    do {
      var command = try parseAsRoot(Arguments.configured.get())
      try command.run()
    } catch let error as TrainingError {
      World.leave(error)
    } catch {
      let code = exitCode(for: error)
      if code.isSuccess {
        if World.isFirst { print(message(for: error)) }
        World.leave(code: 0)
      }
      World.leave(usage: oneLine(message(for: error)))
    }
    World.leave(code: 0)
  }

  private static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).first.map(String.init) ?? text
  }
}
