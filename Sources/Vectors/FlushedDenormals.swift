internal import CIntrinsics

/// A stretch of the calling thread's work in which floats below 2⁻¹²⁶ count as zero, and become zero: from the making of it to ``end()``.
public struct FlushedDenormals {
  private let mode = lockstep_flush_denormals()

  /// Begins it.
  public init() {}

  /// Treats these numbers again as before.
  public func end() { lockstep_restore_denormals(mode) }
}
