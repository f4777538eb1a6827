/// The number of nodes that a microbatch completes in the binary tree over those of a pass, `microbatch` being its
/// number in the pass.
///
/// A node waits for its sibling on the right; of nodes that wait there is one for each bit that is set in the number of
/// microbatches so far. A microbatch completes as many as its number has ones at its end, and the last one all, because
/// nothing more comes to their right.
@inlinable
public func completedNodes(_ microbatch: Int, isLast: Bool) -> Int {
  (isLast ? microbatch : microbatch & ~(microbatch &+ 1)).nonzeroBitCount
}
