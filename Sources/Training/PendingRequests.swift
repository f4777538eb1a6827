import Collectives
import Steps

extension RunOptions {
  /// The time at which the run ends by the clock, counted from the process' start; nil if it does not, and except on rank 0, whose clock counts.
  package func deadline(on communicator: any Communicator) -> ContinuousClock.Instant? {
    communicator.rank == 0 ? maxTime.map { .now + $0.duration - .seconds(ProcessFacts.secondsSinceStart) } : nil
  }

  /// The requests to this rank, by ``control`` and by the clock.
  package func pending(until deadline: ContinuousClock.Instant?) -> RunRequests {
    var requests = control.pending
    if let deadline, .now >= deadline { requests.insert(.timeIsUp) }
    return requests
  }
}
