import Tensors

/// The values that an optimizer keeps between steps: named buffers, each with a float for every parameter in ``range``.
public struct OptimizerState: Sendable {
  /// The parameters that have state here, as a range of the network's layout: all, or the slice that this rank steps.
  public let range: Range<Int>
  /// The buffers, with their names in a checkpoint.
  public let moments: [(name: String, values: Buffer<Float>)]

  /// State in these buffers, of `range.count` floats each.
  public init(_ moments: [(name: String, values: Buffer<Float>)], of range: Range<Int>) {
    for (name, values) in moments {
      precondition(values.count == range.count, "\(values.count) floats of \(name) for \(range.count) parameters")
    }
    self.range = range
    self.moments = moments
  }

  /// Zeroed state with these names.
  public init(_ names: [String], of range: Range<Int>) {
    self.init(names.map { ($0, Buffer(count: range.count)) }, of: range)
  }

  /// The values of moment `index` for the parameters in `part`, which must lie in ``range``.
  public func values(_ index: Int, of part: Range<Int>) -> Buffer<Float> {
    moments[index].values[part.lowerBound - range.lowerBound..<part.upperBound - range.lowerBound]
  }
}
