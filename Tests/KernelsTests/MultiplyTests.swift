import Kernels
import Testing

/// sgemm through ``Matrix``, and the one property of it that a microbatch's bits rest on.
@Suite struct MultiplyTests {
  /// Every rank sets this, and more threads would change bits: OpenBLAS cuts the work by their number.
  init() { useOneBLASThread() }

  private static let sizes = [
    (1, 1, 1), (1, 10, 7), (7, 1, 5), (3, 5, 1), (4, 4, 4), (9, 32, 13), (17, 33, 65), (70, 40, 100),
  ]

  @Test(arguments: sizes)
  func allTransposes(m: Int, n: Int, k: Int) {
    let a = noise(m * k, seed: 1)
    let b = noise(k * n, seed: 2)
    let held = noise(m * n, seed: 3)
    for (leftIsTransposed, rightIsTransposed) in [(false, false), (false, true), (true, false), (true, true)] {
      let left = leftIsTransposed ? Matrix(a, rows: k, columns: m).transposed : Matrix(a, rows: m, columns: k)
      let right = rightIsTransposed ? Matrix(b, rows: n, columns: k).transposed : Matrix(b, rows: k, columns: n)
      let exact = (0..<m * n).map { at in
        let (i, j) = (at / n, at % n)
        return (0..<k).reduce(0.0) { total, l in
          let x = leftIsTransposed ? a[l * m + i] : a[i * k + l]
          let y = rightIsTransposed ? b[j * k + l] : b[l * n + j]
          return total + Double(x) * Double(y)
        }
      }
      let product = filled(m * n)
      multiply(left, right, into: Matrix(product, rows: m, columns: n))
      #expect(distance(product, exact) < 1e-5)
      let added = Buffer(held.array)
      multiply(left, right, into: Matrix(added, rows: m, columns: n), .add)
      #expect(distance(added, (0..<m * n).map { Double(held[$0]) + exact[$0] }) < 1e-5)
    }
  }

  /// Columns of wider matrices, in every transpose: the same as by copies of them, and what lies beside the product stays.
  @Test func columnsWhereTheyLie() {
    for (m, n, k) in Self.sizes {
      for (leftIsTransposed, rightIsTransposed) in [(false, false), (false, true), (true, false), (true, true)] {
        /// A matrix within one that is 5 columns wider, and a copy of it.
        func within(rows: Int, columns: Int, seed: UInt64) -> (view: Matrix, copy: Matrix) {
          let wide = noise(rows * (columns + 5), seed: seed)
          let copy = Buffer<Float>(
            (0..<rows * columns).map { wide[$0 / columns * (columns + 5) + 2 + $0 % columns] })
          return (
            Matrix(wide, rows: rows, columns: columns + 5)[columns: 2..<columns + 2],
            Matrix(copy, rows: rows, columns: columns)
          )
        }
        let left = leftIsTransposed ? within(rows: k, columns: m, seed: 1) : within(rows: m, columns: k, seed: 1)
        let right = rightIsTransposed ? within(rows: n, columns: k, seed: 2) : within(rows: k, columns: n, seed: 2)
        let expected = filled(m * n)
        multiply(
          leftIsTransposed ? left.copy.transposed : left.copy, rightIsTransposed ? right.copy.transposed : right.copy,
          into: Matrix(expected, rows: m, columns: n))
        let product = filled(m * (n + 5), with: 7)
        multiply(
          leftIsTransposed ? left.view.transposed : left.view, rightIsTransposed ? right.view.transposed : right.view,
          into: Matrix(product, rows: m, columns: n + 5)[columns: 3..<n + 3])
        for i in 0..<m {
          let row = product[i * (n + 5)..<(i + 1) * (n + 5)]
          let exact = expected[i * n..<(i + 1) * n].array.map(Double.init)
          #expect(distance(row[3..<n + 3], exact) < 1e-5, "[\(m), \(k)] · [\(k), \(n)]")
          #expect((row[0..<3].array + row[n + 3..<n + 5].array).allSatisfy { $0 == 7 })
        }
      }
    }
  }

  /// Up to ``longestUnsplitSum`` products, adding to a matrix is adding a finished product to it, bit for bit, in every shape and
  /// transpose: what lets a layer add its gradient in place.
  @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 24, 31, 32, 33, 40, 47, 48, 63, 64])
  func addingIsReplacingAndAdding(k: Int) {
    #expect(k <= longestUnsplitSum)
    for m in [1, 2, 3, 5, 8, 10, 13, 16, 33, 64, 130] {
      for n in [1, 2, 4, 7, 9, 16, 31, 48, 100] { checkAdding(m: m, n: n, k: k) }
    }
  }

  /// The same for the shapes of a wide layer's gradient.
  @Test(arguments: [1, 8, 31, 32, 33, 64])
  func addingIsReplacingAndAddingInWideLayers(k: Int) {
    checkAdding(m: 512, n: 784, k: k)
    checkAdding(m: 300, n: 1000, k: k)
  }

  private func checkAdding(m: Int, n: Int, k: Int) {
    let a = noise(m * k, seed: UInt64(m))
    let b = noise(k * n, seed: UInt64(n))
    let held = noise(m * n, seed: UInt64(k))
    for (left, right) in [
      (Matrix(a, rows: k, columns: m).transposed, Matrix(b, rows: k, columns: n)),
      (Matrix(a, rows: m, columns: k), Matrix(b, rows: k, columns: n)),
      (Matrix(a, rows: m, columns: k), Matrix(b, rows: n, columns: k).transposed),
      (Matrix(a, rows: k, columns: m).transposed, Matrix(b, rows: n, columns: k).transposed),
    ] {
      let alone = filled(m * n)
      multiply(left, right, into: Matrix(alone, rows: m, columns: n))
      let added = Buffer(held.array)
      multiply(left, right, into: Matrix(added, rows: m, columns: n), .add)
      sum(held, alone, into: alone)
      // Counted, because the testing library would work out the difference of two long arrays for minutes.
      let differing = zip(bits(added), bits(alone)).count { $0 != $1 }
      #expect(differing == 0, "[\(m), \(k)] · [\(k), \(n)]")
    }
  }
}
