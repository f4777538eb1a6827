import Collectives
import Glibc
import MPICollectives
import Tensors
import Testing

/// The ways in which a rank can fail; ``JobTests`` starts mpirun for each, and looks at what becomes of the job.
enum RankFailure: String, CaseIterable {
  case throwsAtBarrier, throwsInExchange, throwsAtAllreduce, exits, isKilled, stops, stopsInExchange

  /// The variable by which a job is told which failure to act out.
  static let variable = "LOCKSTEP_TEST_FAILURE"

  /// What this process is to act out, if it is a rank of such a job.
  static var ofThisJob: RankFailure? {
    unsafe getenv(variable).flatMap { unsafe String(validatingCString: $0) }.flatMap(RankFailure.init(rawValue:))
  }
}

/// The job whose rank 1 fails. Not a test of its own: without ``JobTests`` above it there is nothing to act out.
@Suite(.serialized, .inMPI, .enabled(if: RankFailure.ofThisJob != nil, "only in a job of JobTests"))
struct FailingRanks {
  @Test func `Rank 1 fails while the others go on`() {
    guard let failure = RankFailure.ofThisJob else { return }
    // A rank that is stopped can only be told from a slow one by patience; no other failure should need it.
    onEveryRank(patience: [.stops, .stopsInExchange].contains(failure) ? .seconds(2) : .seconds(600)) { world in
      if world.rank == 1 {
        switch failure {
        case .throwsAtBarrier, .throwsInExchange, .throwsAtAllreduce: throw CommunicationError("made up")
        case .exits: _exit(7)
        case .isKilled: raise(SIGKILL)
        case .stops, .stopsInExchange:
          raise(SIGSTOP)
          // mpirun wakes what it ends: this rank must not then find that it may go on.
          while true { pause() }
        }
      }
      switch failure {
      case .throwsInExchange, .stopsInExchange:
        let buffer = Buffer<Float>(count: 8)
        let plan = ExchangePlan(
          sends: [.init(peer: 1, range: 0..<4)], receives: [.init(peer: 1, range: 4..<8)])
        try world.exchange(plan, from: buffer, into: buffer)
      case .throwsAtAllreduce: try world.allreduce(Buffer(count: 300_000))
      default: try world.barrier()
      }
    }
  }
}
