import Kernels
import Tensors

/// A layer's parameters, in one flat block: `block[0]` is the first, `block["weights"]` the one of that name.
public struct ParameterBlock {
  /// All parameters, one behind the other, as ``layout`` says.
  public let values: Buffer<Float>
  /// The place of each one.
  public let layout: ParameterLayout

  /// The block `values`, of exactly the layout's length.
  public init(_ values: Buffer<Float>, _ layout: ParameterLayout) {
    precondition(values.count == layout.count, "\(values.count) floats for \(layout.count) of parameters")
    self.values = values
    self.layout = layout
  }

  /// A parameter, by its place in ``Layer/parameters``.
  public subscript(place: Int) -> Buffer<Float> { values[layout.ranges[place]] }

  /// A parameter, by its name, which is looked up. By its place is quicker.
  public subscript(name: String) -> Buffer<Float> { self[layout.place(of: name)] }

  /// The block of a layer inside of a container, which begins at `start` in the container's block.
  public func part(from start: Int, _ layout: ParameterLayout) -> ParameterBlock {
    ParameterBlock(values[start..<start + layout.count], layout)
  }
}
