import Kernels
import Testing

/// Around whole lanes and away from them.
private let counts = [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100]

@Suite struct ElementwiseTests {
  @Test(arguments: counts)
  func sums(count: Int) {
    let (a, b) = (noise(count, seed: 1), noise(count, seed: 2))
    let expected = (0..<count).map { (a[$0] + b[$0]).bitPattern }
    let c = filled(count)
    sum(a, b, into: c)
    #expect(bits(c) == expected)
    let left = Buffer(a.array)
    sum(left, b, into: left)
    #expect(bits(left) == expected)
    add(a, into: b)
    #expect(bits(b) == expected)
  }

  @Test(arguments: counts)
  func scaling(count: Int) {
    let values = noise(count, seed: 1)
    let expected = values.array.map { ($0 * 0.3).bitPattern }
    scale(values, by: 0.3)
    #expect(bits(values) == expected)
  }

  /// Each element by one chain of multiply-adds in the order of the rows, wherever it lies.
  @Test(arguments: counts)
  func weightedSums(count: Int) {
    let (rows, factors) = (noise(3 * count, seed: 1), noise(3, seed: 2))
    let expected = (0..<count).map { column in
      (0..<3).reduce(Float(0)) { $0.addingProduct(factors[$1], rows[$1 * count + column]) }.bitPattern
    }
    let sum = filled(count)
    weightedSum(ofRows: rows, factors, into: sum)
    #expect(bits(sum) == expected)
  }

  @Test(arguments: counts)
  func rectifier(count: Int) {
    let x = noise(count, seed: 1)
    if count > 0 { x[count / 2] = 0 }
    let y = filled(count)
    rectify(x, into: y)
    #expect(y.array == x.array.map { max($0, 0) })
    let g = noise(count, seed: 2)
    let d = filled(count)
    rectifyGradient(g, output: y, into: d)
    #expect(d.array == (0..<count).map { x[$0] > 0 ? g[$0] : 0 })
  }

  @Test func rectifierKeepsNaN() {
    for place in [0, 20] {
      let x = filled(21, with: -1)
      x[place] = .nan
      let y = filled(21, with: 5)
      rectify(x, into: y)
      #expect((0..<21).allSatisfy { $0 == place ? y[$0].isNaN : y[$0] == 0 })
    }
  }

  @Test(arguments: [1, 2, 10, 16, 21, 32, 33])
  func columnsAndBias(columns: Int) {
    for rows in [1, 2, 5, 33] {
      let matrix = noise(rows * columns, seed: 1)
      let exact = (0..<columns).map { c in (0..<rows).reduce(0.0) { $0 + Double(matrix[$1 * columns + c]) } }
      let sums = filled(columns)
      columnSums(matrix, into: sums, .replace)
      #expect(distance(sums, exact) < 1e-5)
      let held = noise(columns, seed: 2)
      let added = Buffer(held.array)
      columnSums(matrix, into: added, .add)
      #expect(bits(added) == (0..<columns).map { (held[$0] + sums[$0]).bitPattern })

      let biased = Buffer(matrix.array)
      addBias(held, toRowsOf: biased)
      #expect(biased.array == (0..<rows * columns).map { matrix[$0] + held[$0 % columns] })
    }
  }

  @Test(arguments: counts)
  func finiteness(count: Int) {
    let values = noise(count, seed: 1)
    #expect(allFinite(values))
    // The largest finite values are no infinity, not even summed.
    values.fill(.greatestFiniteMagnitude)
    #expect(allFinite(values))
    for bad in [Float.nan, .infinity, -.infinity] {
      for place in 0..<count {
        let held = values[place]
        values[place] = bad
        #expect(!allFinite(values), "\(bad) at \(place) of \(count)")
        values[place] = held
      }
    }
  }
}
