@_exported import struct Primitives.Buffer

/// The extents of an array, outermost first: `[28, 28, 1]` is height, width, channels of one sample.
public struct Shape: Hashable, Sendable, CustomStringConvertible, ExpressibleByArrayLiteral {
  /// The extents, outermost first, each at least 0. Only files from elsewhere have an extent of 0.
  public let extents: [Int]

  /// A shape of these extents, each of which must be at least 0.
  public init(_ extents: [Int]) {
    precondition(extents.allSatisfy { $0 >= 0 }, "a shape's extents must be 0 or more: \(extents)")
    self.extents = extents
  }

  /// A shape written as a literal: `[28, 28, 1]`.
  public init(arrayLiteral extents: Int...) { self.init(extents) }

  /// The number of elements: the product of the extents.
  public var count: Int { extents.reduce(1, *) }

  /// The number of extents.
  public var rank: Int { extents.count }

  /// The extent at `axis`, outermost first.
  public subscript(axis: Int) -> Int { extents[axis] }

  /// `[28, 28, 1]`.
  public var description: String { "[\(extents.map(String.init).joined(separator: ", "))]" }
}
