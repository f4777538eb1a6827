import ArgumentParser
import Lockstep

/// Which checkpoint of a run directory is meant.
struct BestOption: ParsableArguments {
  @Flag(help: "Takes the run directory's best checkpoint, which train kept with --save-best or --early-stopping.")
  var best = false

  /// The checkpoint or run directory at `path`, or with `--best` the directory's best checkpoint, on every rank. Collective.
  func checkpoint(_ path: String, strict: Bool, on communicator: any Communicator) throws -> String {
    guard best else { return path }
    return try RestoredNetwork.bestCheckpoint(of: path, strict: strict, communicator: communicator) {
      Terminal.complain("warning: \($0)")
    }
  }
}
