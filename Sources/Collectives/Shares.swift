/// The microbatches of a batch of `count` that a rank holds: as even as whole microbatches allow, in order of rank.
public func microbatches(of count: Int, heldBy rank: Int, of size: Int) -> Range<Int> {
  rank * count / size..<(rank + 1) * count / size
}

/// The floats that each of `size` ranks finishes: even slices that begin at multiples of 16 floats, so that two owners share no
/// cache line.
public func slices(of count: Int, _ size: Int) -> [Range<Int>] {
  let lines = (count + 15) / 16
  return (0..<size).map { min($0 * lines / size * 16, count)..<min(($0 + 1) * lines / size * 16, count) }
}
