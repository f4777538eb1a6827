import Tensors

/// Where each parameter lies in its flat block: one after the other, each at a multiple of 16 floats (a cache line, and
/// the widest vector). The gaps stay zero for ever, their gradients being zero.
public struct ParameterLayout: Sendable {
  /// The parameters, in order.
  public let parameters: [ParameterSpecification]
  /// Where each one's elements lie.
  public let ranges: [Range<Int>]
  /// The floats of the whole block, gaps and all.
  public let count: Int

  /// Lays `parameters` out in order.
  public init(_ parameters: [ParameterSpecification]) {
    var offset = 0
    var ranges: [Range<Int>] = []
    for parameter in parameters {
      ranges.append(offset..<offset + parameter.shape.count)
      offset = (offset + parameter.shape.count + 15) / 16 * 16
    }
    self.parameters = parameters
    self.ranges = ranges
    self.count = offset
  }

  /// The place of the parameter called `name`, which must be there.
  public func place(of name: String) -> Int {
    guard let place = parameters.firstIndex(where: { ExactText($0.name) == ExactText(name) }) else {
      preconditionFailure("no parameter \(name) among \(parameters.map(\.name))")
    }
    return place
  }

  /// The number of values, without the gaps; those of frozen parameters count.
  public var learntCount: Int { parameters.reduce(0) { $0 + $1.shape.count } }

  /// Where the parameters with one of `roles` lie, in order. Neighbours make one range, each with the gap behind it: a network whose
  /// parameters all have one of the roles is a single range.
  public func ranges(of roles: Set<ParameterRole>) -> [Range<Int>] {
    var merged: [Range<Int>] = []
    let ends = ranges.dropFirst().map(\.lowerBound) + [count]
    for (index, parameter) in parameters.enumerated() where roles.contains(parameter.role) {
      let range = ranges[index].lowerBound..<ends[index]
      if let last = merged.last, last.upperBound == range.lowerBound {
        merged[merged.count - 1] = last.lowerBound..<range.upperBound
      } else {
        merged.append(range)
      }
    }
    return merged
  }
}
