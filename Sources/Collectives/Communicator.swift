import Tensors

/// A fixed set of ranks that compute together: all that the trainer knows of the cluster.
///
/// ``SoloCommunicator`` is a world of one, ``InProcessCommunicator`` joins threads, `MPICommunicator` joins processes;
/// all three are used for real. Every method is collective: all ranks call the same ones in the same order, with counts
/// that fit together. Methods throw if a rank has failed or cannot be reached. A rank that fails must tell the others
/// (`abort`), because they wait for it.
public protocol Communicator: AnyObject {
  /// This rank, `0..<size`.
  var rank: Int { get }
  /// The number of ranks: the world size.
  var size: Int { get }
  /// Which ranks share memory.
  var hosts: HostMap { get }

  /// Returns once every rank has called it.
  func barrier() throws(CommunicationError)

  /// Returns once every rank of this host has called it. This rank then sees all that the others wrote to
  /// ``sharedBuffers(count:)`` before. May be called only after that method.
  func hostBarrier() throws(CommunicationError)

  /// Overwrites `buffer` with that of rank `root`. The count must be the same everywhere. Cost: lg p messages of n
  /// floats.
  func broadcast(_ buffer: Buffer<Float>, from root: Int) throws(CommunicationError)

  /// Every rank's `bytes`, in rank order; the counts may differ. For small things: it allocates.
  func gather(_ bytes: [UInt8]) throws(CommunicationError) -> [[UInt8]]

  /// Carries out this rank's part of an exchange that all ranks have planned alike: `plan.sends` leave from `source`,
  /// `plan.receives` arrive in `destination`. Between two ranks, the nth send meets the nth receive. The two buffers may
  /// be one, if no range received overlaps another range of the plan.
  func exchange(
    _ plan: ExchangePlan, from source: Buffer<Float>, into destination: Buffer<Float>
  ) throws(CommunicationError)

  /// Makes a buffer for every rank of this host, in the order of ``hosts``, in memory that all of them read and write
  /// directly. This rank's has `count` zeros, the others' have the counts that they gave. The buffers last as long as
  /// the process: ask once a run.
  func sharedBuffers(count: Int) throws(CommunicationError) -> [Buffer<Float>]

  /// Notes the phase that this rank enters, for those who wait for it. Not collective, and costs next to nothing. A
  /// `step` of nil is the last one given.
  func entered(_ phase: Phase, step: Int?)

  /// Records waits for other ranks in `recorder` from now on, where the implementation can tell them.
  func recordWaits(in recorder: SpanRecorder)

  /// Computes `buffer[i] = Σ over ranks` in an order that the implementation chooses: its bits depend on the number of
  /// ranks.
  func allreduce(_ buffer: Buffer<Float>) throws(CommunicationError)
}

extension Communicator {
  public func entered(_ phase: Phase, step: Int?) {}

  public func recordWaits(in recorder: SpanRecorder) {}
}
