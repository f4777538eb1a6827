import Tensors

/// The places of parameters in their flat block: one after the other, each at a multiple of 16 floats (a cache line,
/// and the widest vector). The gaps stay zero, because their gradients are zero.
public struct ParameterLayout: Sendable {
  /// The parameters, in order.
  public let parameters: [ParameterSpecification]
  /// The range of each one's elements.
  public let ranges: [Range<Int>]
  /// The floats of the whole block, with the gaps.
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

  /// The same layout with the parameters frozen whose names fit one of `patterns`.
  ///
  /// Throws ``ModelError`` if no name fits a pattern, or if nothing would be left to learn.
  public func freezing(_ patterns: [Glob]) throws -> ParameterLayout {
    guard !patterns.isEmpty else { return self }
    if let stray = patterns.first(where: { pattern in !parameters.contains { pattern.matches($0.name) } }) {
      throw ModelError(
        "\(Setting.frozen) \(quoted(stray.pattern)) fits the name of no parameter; there are: "
          + parameters.map(\.name).joined(separator: ", "))
    }
    let frozen = parameters.map { parameter in
      var parameter = parameter
      if patterns.contains(where: { $0.matches(parameter.name) }) { parameter.role = .frozen }
      return parameter
    }
    guard frozen.contains(where: { $0.role == .weight || $0.role == .bias }) else {
      throw ModelError("\(Setting.frozen) fits all parameters, and nothing is left to learn; leave some out")
    }
    return ParameterLayout(frozen)
  }

  /// The place of the parameter called `name`, which must exist.
  public func place(of name: String) -> Int {
    guard let place = parameters.firstIndex(where: { ExactText($0.name) == ExactText(name) }) else {
      preconditionFailure("no parameter \(name) among \(parameters.map(\.name))")
    }
    return place
  }

  /// The number of values, without the gaps and averages. Frozen parameters count.
  public var learntCount: Int { parameters.reduce(0) { $0 + ($1.role == .average ? 0 : $1.shape.count) } }

  /// The ranges of the parameters with one of `roles`, in order, each with the gap behind it. Neighbours make one
  /// range: a network whose parameters all have one of the roles is a single range.
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
