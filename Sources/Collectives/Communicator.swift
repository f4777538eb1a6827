import Tensors

/// A fixed set of ranks that compute together: the only thing of the cluster that the trainer knows.
///
/// ``SoloCommunicator`` is a world of one, ``InProcessCommunicator`` joins threads, `MPICommunicator` joins processes; all
/// three are used for real. Every method is collective: all ranks call the same ones in the same
/// order, with counts that fit together. A rank that fails must tell the others (`abort`), for they are waiting.
public protocol Communicator: AnyObject {
  /// This rank, `0..<size`.
  var rank: Int { get }
  /// The number of ranks: the world size.
  var size: Int { get }
  /// Which ranks share memory.
  var hosts: HostMap { get }

  /// Returns once every rank has called it.
  func barrier() throws(CommunicationError)

  /// Returns once every rank of this host has called it; what the others wrote to ``sharedBuffers(count:)`` before is then seen.
  /// To be called only after that.
  func hostBarrier() throws(CommunicationError)

  /// Overwrites `buffer`, of the same count everywhere, with what it holds on rank `root`. Cost: lg p messages of n.
  func broadcast(_ buffer: Buffer<Float>, from root: Int) throws(CommunicationError)

  /// Every rank's `bytes`, in rank order; the counts may differ. For small things: it allocates.
  func gather(_ bytes: [UInt8]) throws(CommunicationError) -> [[UInt8]]

  /// Carries out this rank's part of an exchange that all ranks have planned alike: `plan.sends` leave from `source`,
  /// `plan.receives` arrive in `destination`. Between two ranks, the nth send meets the nth receive. The two buffers may
  /// be one, if no range received overlaps another range of the plan.
  func exchange(
    _ plan: ExchangePlan, from source: Buffer<Float>, into destination: Buffer<Float>
  ) throws(CommunicationError)

  /// One buffer of every rank of this host, in the order of ``hosts``, in memory that all of them read and write directly: this rank's
  /// has `count` zeros, the others' what they asked for. They last as long as the process: ask once a run.
  func sharedBuffers(count: Int) throws(CommunicationError) -> [Buffer<Float>]

  /// Notes what this rank is at from now on, for those who wait for it; not collective, and costs next to nothing. nil for the step that
  /// was last given.
  func entered(_ phase: Phase, step: Int?)

  /// `buffer[i] = Σ over ranks`, in an order that the implementation chooses: its bits depend on the number of ranks.
  func allreduce(_ buffer: Buffer<Float>) throws(CommunicationError)
}

extension Communicator {
  public func entered(_ phase: Phase, step: Int?) {}
}
