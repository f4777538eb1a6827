import Console

/// Numbers cut into groups of about the same size: pandas' `qcut` with `duplicates="drop"`.
struct QuantileBins {
  /// The bounds of the groups, rising. A number belongs to the first whose upper bound it does not exceed.
  let edges: [Double]

  /// `count` groups of `numbers`, fewer where quantiles are the same. A quantile between two numbers is interpolated, as NumPy does.
  init(_ numbers: [Double], count: Int) {
    let sorted = numbers.sorted()
    var edges: [Double] = []
    for index in 0...count {
      let place = Double(index) / Double(count) * Double(sorted.count - 1)
      let below = min(Int(place), sorted.count - 1)
      let (low, high, part) = (sorted[below], sorted[min(below + 1, sorted.count - 1)], place - Double(below))
      let edge = part < 0.5 ? low + (high - low) * part : high - (high - low) * (1 - part)
      if edges.last != edge { edges.append(edge) }
    }
    // One value has one group.
    self.edges = edges.count == 1 ? edges + edges : edges
  }

  /// The number of groups.
  var count: Int { edges.count - 1 }

  /// The group of `number`, which is one of those that the groups were made of.
  func group(of number: Double) -> Int {
    let place = edges.dropFirst().firstIndex { number <= $0 } ?? edges.count - 1
    return place - 1
  }

  /// `[1, 5]`, `(5, 9]` and so on.
  var names: [String] {
    (0..<count).map { "\($0 == 0 ? "[" : "(")\(plain(edges[$0])), \(plain(edges[$0 + 1]))]" }
  }
}
