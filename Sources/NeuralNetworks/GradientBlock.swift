import Kernels
import Tensors

@_exported import enum Kernels.Accumulation

/// The windows that a layer's gradients go to, in the order of a ``ParameterBlock``, and whether they are written or
/// added.
///
/// A gradient is the sum (not the mean) over the samples of a microbatch. It replaces the content of its window or,
/// once complete, is added to it. An add rounds once an element, so it equals writing elsewhere and adding the two
/// buffers: the fixed tree's bits rest on it.
public struct GradientBlock {
  /// The windows, for kernels that take an ``accumulation``.
  public let sums: ParameterBlock
  /// Whether the windows' content is replaced or added to.
  public let accumulation: Accumulation

  /// The gradients of parameters in `layout`, in `values`.
  public init(_ values: Buffer<Float>, _ layout: ParameterLayout, _ accumulation: Accumulation) {
    self.init(ParameterBlock(values, layout), accumulation)
  }

  /// A block of these windows.
  public init(_ sums: ParameterBlock, _ accumulation: Accumulation) {
    self.sums = sums
    self.accumulation = accumulation
  }

  /// The window of a parameter, by its place in ``Layer/parameters``.
  public subscript(place: Int) -> Buffer<Float> { sums[place] }

  /// The block of a layer inside of a container, which begins at `start` in the container's block.
  public func part(from start: Int, _ layout: ParameterLayout) -> GradientBlock {
    GradientBlock(sums.part(from: start, layout), accumulation)
  }

  /// Writes or adds the complete gradient of the parameter at `place`.
  public func complete(_ place: Int, with sum: Buffer<Float>) {
    accumulate(sum, into: sums[place], accumulation)
  }

  /// Writes or adds the complete gradient of one element of the parameter at `place`.
  public func complete(_ place: Int, at element: Int, with sum: Float) {
    let window = sums[place]
    window[element] = accumulation == .add ? window[element] + sum : sum
  }
}
