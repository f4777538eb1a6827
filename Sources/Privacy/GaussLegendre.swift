import Glibc

/// Gauss and Legendre's rules of integration. With n nodes, polynomials up to degree 2n − 1 are integrated exactly.
package enum GaussLegendre {
  /// Nodes between −1 and 1, and their weights, whose sum is 2.
  package typealias Rule = [(node: Double, weight: Double)]

  static let two: Rule = [(-(1.0 / 3).squareRoot(), 1), ((1.0 / 3).squareRoot(), 1)]

  static let five: Rule = {
    let (root, seventh) = (2 * (10.0 / 7).squareRoot(), 13 * 70.0.squareRoot())
    let (inner, outer) = ((5 - root).squareRoot() / 3, (5 + root).squareRoot() / 3)
    let (heavy, light) = ((322 + seventh) / 900, (322 - seventh) / 900)
    return [(-outer, light), (-inner, heavy), (0, 128.0 / 225), (inner, heavy), (outer, light)]
  }()

  /// The rule of `count` nodes, 1 or more, from the smallest on: the zeros of Legendre's polynomial of that degree, by Newton's method from
  /// cos(π (i + ¾) / (n + ½)), and 2 / ((1 − x²) P′(x)²).
  package static func rule(_ count: Int) -> Rule {
    precondition(count >= 1, "a rule of \(count) nodes")
    var rule = Rule(repeating: (0, 0), count: count)
    for index in 0..<(count + 1) / 2 {
      var x = cos(.pi * (Double(index) + 0.75) / (Double(count) + 0.5))
      var slope = 0.0
      // It converges from there to the last digit within some steps.
      for _ in 0..<10 {
        let (value, derivative) = legendre(count, at: x)
        x -= value / derivative
        slope = legendre(count, at: x).slope
      }
      let weight = 2 / ((1 - x * x) * slope * slope)
      rule[index] = (-x, weight)
      rule[count - 1 - index] = (x, weight)
    }
    return rule
  }

  /// Legendre's polynomial of degree `count` and its slope, by Bonnet's recursion.
  private static func legendre(_ count: Int, at x: Double) -> (value: Double, slope: Double) {
    var (value, before) = (x, 1.0)
    for degree in stride(from: 2, through: count, by: 1) {
      (value, before) = ((Double(2 * degree - 1) * x * value - Double(degree - 1) * before) / Double(degree), value)
    }
    return (value, Double(count) * (x * value - before) / (x * x - 1))
  }
}
