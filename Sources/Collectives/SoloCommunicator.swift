import Tensors

/// A world of one rank: nothing to send, nobody to wait for.
public final class SoloCommunicator: Communicator {
  public var rank: Int { 0 }
  public var size: Int { 1 }
  public var hosts: HostMap { .together(1) }

  /// The world of this process alone.
  public init() {}

  public func barrier() {}
  public func hostBarrier() {}
  public func broadcast(_ buffer: Buffer<Float>, from root: Int) {}
  public func gather(_ bytes: [UInt8]) -> [[UInt8]] { [bytes] }
  public func exchange(_ plan: ExchangePlan, from source: Buffer<Float>, into destination: Buffer<Float>) {
    precondition(plan.sends.isEmpty && plan.receives.isEmpty, "a rank alone has nobody to exchange with")
  }
  public func sharedBuffers(count: Int) -> [Buffer<Float>] { [Buffer(count: count)] }
  public func allreduce(_ buffer: Buffer<Float>) {}
}
