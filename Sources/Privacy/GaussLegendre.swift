/// Gauss and Legendre's rules of integration. With n nodes, polynomials up to degree 2n − 1 are integrated exactly.
enum GaussLegendre {
  /// Nodes between −1 and 1, and their weights, whose sum is 2.
  typealias Rule = [(node: Double, weight: Double)]

  static let two: Rule = [(-(1.0 / 3).squareRoot(), 1), ((1.0 / 3).squareRoot(), 1)]

  static let five: Rule = {
    let (root, seventh) = (2 * (10.0 / 7).squareRoot(), 13 * 70.0.squareRoot())
    let (inner, outer) = ((5 - root).squareRoot() / 3, (5 + root).squareRoot() / 3)
    let (heavy, light) = ((322 + seventh) / 900, (322 - seventh) / 900)
    return [(-outer, light), (-inner, heavy), (0, 128.0 / 225), (inner, heavy), (outer, light)]
  }()
}
