import Tensors

/// The values that an optimizer keeps between steps: named buffers, each with one float for every parameter of ``range``.
public struct OptimizerState: Sendable {
  /// The parameters whose state this is, as places in the network's layout: all of them, or the slice that this rank steps.
  public let range: Range<Int>
  /// A buffer's name, as the checkpoint has it, and the buffer.
  public let moments: [(name: String, values: Buffer<Float>)]

  /// State in buffers that are there.
  public init(_ moments: [(name: String, values: Buffer<Float>)], of range: Range<Int>) {
    for (name, values) in moments {
      precondition(values.count == range.count, "\(values.count) floats of \(name) for \(range.count) parameters")
    }
    self.range = range
    self.moments = moments
  }

  /// Zeroed state under these names.
  public init(_ names: [String], of range: Range<Int>) {
    self.init(names.map { ($0, Buffer(count: range.count)) }, of: range)
  }

  /// The values of the moment number `index` for the parameters in `part`, which must lie in ``range``.
  public func values(_ index: Int, of part: Range<Int>) -> Buffer<Float> {
    moments[index].values[part.lowerBound - range.lowerBound..<part.upperBound - range.lowerBound]
  }
}
