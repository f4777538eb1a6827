import Collectives
import MPICollectives
import Testing

/// What every rank runs under mpirun, one file a collective: `launch/test` starts it at 1, 2, 3 and 4 ranks.
///
/// All ranks must run the same tests in the same order, for a collective on one is a collective on all: hence serialized,
/// no arguments (loops instead), and the check of ``InMPI``.
@Suite(.serialized, .inMPI) struct RankTests {}

/// Initialises MPI before the suite's first test and leaves it after the last: both can be done once in a process.
struct InMPI: SuiteTrait, TestScoping {
  /// Applied to the suite alone: its scope is around all tests together.
  var isRecursive: Bool { false }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let world = try MPICommunicator()
    try world.barrier()
    try await function()
    try world.barrier()
    try MPICommunicator.finish()
  }
}

extension Trait where Self == InMPI {
  /// See ``InMPI``.
  static var inMPI: InMPI { InMPI() }
}

/// The world as a test sees it.
///
/// Takes part in the test with all other ranks: makes sure that they are in the same one, runs it, and says on standard
/// output that this rank has, and in a world of how many. `launch/test` counts these lines: a test that was passed over, or
/// that ran in a world of one where four were asked for, is missed.
func onEveryRank(
  _ name: String = #function, fileID: String = #fileID, patience: Duration = .seconds(60),
  _ body: (MPICommunicator) throws -> Void
) {
  do {
    let world = try MPICommunicator(patience: patience)
    let names = try world.gather(Array("\(fileID) \(name)".utf8))
    guard names.allSatisfy({ $0 == names[0] }) else { throw CommunicationError("ranks are in different tests") }
    try body(world)
    print("ran at \(world.size) ranks: \(fileID) \(name)")
  } catch {
    // The others wait for this rank in a collective that it will not come to: nothing is left but to end them.
    complain("\(name): \(error)")
    MPICommunicator.abort(code: 70)
  }
}
