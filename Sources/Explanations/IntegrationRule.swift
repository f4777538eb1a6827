import Privacy

/// A rule for the mean of a function over 0 to 1, by its values at some places.
public enum IntegrationRule: String, CaseIterable, Sendable {
  /// Gauss and Legendre's, exact for polynomials up to degree 2n − 1: Captum's default.
  case gausslegendre
  /// The middles of n equal parts: Captum's `riemann_middle`.
  case middle
  /// Their beginnings: `riemann_left`.
  case left
  /// Their ends: `riemann_right`.
  case right

  /// The places between 0 and 1, in order, and the weight of each, 1 in sum.
  func nodes(_ count: Int) -> [(place: Double, weight: Double)] {
    let offset: Double
    switch self {
    case .gausslegendre: return GaussLegendre.rule(count).map { ((1 + $0.node) / 2, $0.weight / 2) }
    case .middle: offset = 0.5
    case .left: offset = 0
    case .right: offset = 1
    }
    return (0..<count).map { ((Double($0) + offset) / Double(count), 1 / Double(count)) }
  }
}
