import Kernels
import ReductionReference
import Testing

/// Products with a matrix that is laid out once.
@Suite struct PackedProductTests {
  /// Every number of rows from one to two tiles and a rest, columns around one, two and three vectors of either width.
  private static let sizes =
    (1...14).map { (m: $0, n: 32, k: 9) } + [1, 7, 8, 9, 16, 17, 31, 33, 48, 65].map { (m: 7, n: $0, k: 12) }
    + [(32, 128, 512), (32, 512, 128), (1, 1, 1)]

  @Test(arguments: sizes)
  func `The product is right, replaced and added`(m: Int, n: Int, k: Int) {
    let (a, b, held) = (noise(m * k, seed: 1), noise(k * n, seed: 2), noise(m * n, seed: 3))
    let exact = (0..<m * n).map { at in
      (0..<k).reduce(0.0) { $0 + Double(a[at / n * k + $1]) * Double(b[$1 * n + at % n]) }
    }
    let turned = Buffer<Float>((0..<k * n).map { b[$0 % k * n + $0 / k] })
    for right in [Matrix(b, rows: k, columns: n), Matrix(turned, rows: n, columns: k).transposed] {
      let packed = PackedMatrix(rows: k, columns: n)
      packed.pack(right)
      let product = filled(m * n)
      multiply(Matrix(a, rows: m, columns: k), packed, into: Matrix(product, rows: m, columns: n))
      #expect(distance(product, exact) < 2e-6 + 1e-7 * Double(k))
      let turnedLeft = Buffer<Float>((0..<m * k).map { a[$0 % m * k + $0 / m] })
      let same = filled(m * n)
      multiply(Matrix(turnedLeft, rows: k, columns: m).transposed, packed, into: Matrix(same, rows: m, columns: n))
      #expect(bits(same) == bits(product))
      let added = Buffer(held.array)
      multiply(Matrix(a, rows: m, columns: k), packed, into: Matrix(added, rows: m, columns: n), .add)
      let (bias, biased) = (noise(n, seed: 5), filled(m * n))
      multiply(Matrix(a, rows: m, columns: k), packed, bias: bias, into: Matrix(biased, rows: m, columns: n))
      #expect(bits(biased) == (0..<m * n).map { (product[$0] + bias[$0 % n]).bitPattern })
      // One rounding behind a complete sum.
      #expect(bits(added) == (0..<m * n).map { (held[$0] + product[$0]).bitPattern })
    }
  }

  @Test func `A row's bits do not depend on the other rows, nor a column's on the others`() {
    let (m, n, k) = (13, 40, 37)
    let (a, b) = (noise(m * k, seed: 1), noise(k * n, seed: 2))
    let packed = PackedMatrix(rows: k, columns: n)
    packed.pack(Matrix(b, rows: k, columns: n))
    let product = filled(m * n)
    multiply(Matrix(a, rows: m, columns: k), packed, into: Matrix(product, rows: m, columns: n))
    for row in 0..<m {
      let alone = filled(n)
      multiply(
        Matrix(a[row * k..<(row + 1) * k], rows: 1, columns: k), packed, into: Matrix(alone, rows: 1, columns: n))
      #expect(bits(alone) == bits(product[row * n..<(row + 1) * n]))
    }
    for column in 0..<n {
      let one = PackedMatrix(rows: k, columns: 1)
      one.pack(Matrix(Buffer((0..<k).map { b[$0 * n + column] }), rows: k, columns: 1))
      let alone = filled(m)
      multiply(Matrix(a, rows: m, columns: k), one, into: Matrix(alone, rows: m, columns: 1))
      #expect(bits(alone) == (0..<m).map { product[$0 * n + column].bitPattern })
    }
  }

  @Test func `Columns of wider matrices are read and written where they lie`() {
    let (m, n, k) = (7, 21, 10)
    let (wide, b) = (noise(m * (k + 5), seed: 1), noise(k * n, seed: 2))
    let packed = PackedMatrix(rows: k, columns: n)
    packed.pack(Matrix(noise(k * (n + 3), seed: 4), rows: k, columns: n + 3)[columns: 1..<n + 1])
    packed.pack(Matrix(b, rows: k, columns: n))
    let copy = Buffer<Float>((0..<m * k).map { wide[$0 / k * (k + 5) + 2 + $0 % k] })
    let expected = filled(m * n)
    multiply(Matrix(copy, rows: m, columns: k), packed, into: Matrix(expected, rows: m, columns: n))
    let product = filled(m * (n + 4), with: 7)
    multiply(
      Matrix(wide, rows: m, columns: k + 5)[columns: 2..<k + 2], packed,
      into: Matrix(product, rows: m, columns: n + 4)[columns: 3..<n + 3])
    for row in 0..<m {
      for column in 0..<n + 4 {
        let inside = column >= 3 && column < n + 3
        #expect(product[row * (n + 4) + column] == (inside ? expected[row * n + column - 3] : 7))
      }
    }
  }
  /// What one call gives for several microbatches is what the tree gives of a call for each.
  @Test(arguments: 1...70)
  func `A matrix that is read where it lies gives the bits of one laid out`(n: Int) {
    let (m, k, stride) = (13, 21, 80)
    let (a, memory) = (noise(m * k, seed: 1), noise(k * stride, seed: 2))
    let b = Matrix(memory, columns: stride)[columns: 5..<5 + n]
    let isRead = n <= 64 && n % laneCount == 0
    let laidOut = PackedMatrix(rows: k, columns: n).pack(b)
    // Room for one row: what is laid out all the same does not fit.
    let read = PackedMatrix(rows: isRead ? 1 : k, columns: n).packUnlessReadable(b)
    #expect(read.rows == k && read.columns == n && !read.isPaired)
    let products = [laidOut, read].map { right in
      let product = filled(m * n)
      multiply(Matrix(a, rows: m, columns: k), right, into: Matrix(product, rows: m, columns: n))
      return bits(product)
    }
    #expect(products[0] == products[1])
    let parts = [laidOut, read].map { right in
      let product = filled(m * n)
      multiply(Matrix(a, rows: m, columns: k), right, into: Matrix(product, rows: m, columns: n), part: 8)
      return bits(product)
    }
    #expect(parts[0] == parts[1])
    // Pairs and transposed matrices are always laid out.
    let pairs = PackedMatrix(rows: k + 1, columns: n)
    #expect(pairs.packUnlessReadable(b, inPairs: true).isPaired)
    let turned = noise(n * k, seed: 3)
    let transposed = PackedMatrix(rows: k, columns: n).packUnlessReadable(Matrix(turned, columns: k).transposed)
    let product = filled(m * n)
    multiply(Matrix(a, rows: m, columns: k), transposed, into: Matrix(product, rows: m, columns: n))
    let other = filled(m * n)
    multiply(
      Matrix(a, rows: m, columns: k), PackedMatrix(rows: k, columns: n).pack(Matrix(turned, columns: k).transposed),
      into: Matrix(other, rows: m, columns: n))
    #expect(bits(product) == bits(other))
  }

  @Test(arguments: [(8, 4), (9, 4), (31, 8), (21, 3), (16, 1), (130, 32), (3, 5)], ProductPrecision.allCases)
  func `Parts of a sum are added as the tree adds them`(_ cut: (k: Int, part: Int), precision: ProductPrecision) {
    let (k, part) = cut
    for (m, n) in [(1, 1), (13, 16), (12, 33), (25, 48), (7, 5)] {
      let (a, b, held) = (noise(k * m, seed: 1), noise(k * n, seed: 2), noise(m * n, seed: 3))
      let (room, leftRoom) = (PackedMatrix(rows: k, columns: n), PackedLeft(rows: m, columns: k))
      let leaves = stride(from: 0, to: k, by: part).map { start in
        let range = start..<min(start + part, k)
        let sum = filled(m * n)
        multiply(
          leftRoom.pack(Matrix(a, rows: k, columns: m)[rows: range].transposed, inPairs: precision == .bf16),
          room.pack(Matrix(b, rows: k, columns: n)[rows: range], inPairs: precision == .bf16),
          into: Matrix(sum, rows: m, columns: n))
        return sum.array
      }
      let expected = LeafGradients(gradients: leaves).treeSum
      let left = Matrix(a, rows: k, columns: m).transposed
      let right = room.pack(Matrix(b, rows: k, columns: n), inPairs: precision == .bf16, part: part)
      for accumulation in [Accumulation.replace, .add] {
        let wanted = (0..<m * n).map { (accumulation == .add ? held[$0] + expected[$0] : expected[$0]).bitPattern }
        let sum = Buffer(held.array)
        let packedLeft = leftRoom.pack(left, inPairs: precision == .bf16, part: part)
        multiply(packedLeft, right, into: Matrix(sum, rows: m, columns: n), accumulation, part: part)
        #expect(bits(sum) == wanted)
        guard precision == .fp32 else { continue }
        sum.copy(from: held)
        multiply(left, right, into: Matrix(sum, rows: m, columns: n), accumulation, part: part)
        #expect(bits(sum) == wanted)
      }
    }
  }

  /// A sum that waits between stretches goes on where it was: tiles of each size, of one vector and of two, and stretches of odd lengths.
  @Test(arguments: [(9, 4), (64, 64), (50, 7), (33, 16), (3, 1)], ProductPrecision.allCases)
  func `Stretches of a sum have the bits of the whole`(_ cut: (k: Int, stretch: Int), precision: ProductPrecision) {
    let (k, length) = cut
    let isPaired = precision == .bf16
    for m in (1...13) + [25, 40] {
      for n in [1, 16, 17, 32, 48, 50] {
        let (a, b, held) = (noise(k * m, seed: 1), noise(k * n, seed: 2), noise(m * n, seed: 3))
        let (room, leftRoom) = (PackedMatrix(rows: k, columns: n), PackedLeft(rows: m, columns: k))
        let (left, right) = (Matrix(a, rows: k, columns: m), Matrix(b, rows: k, columns: n))
        // The same room for every product: sums of another one lie in it.
        let sums = ProductSums(rows: 40, columns: 50)
        for accumulation in [Accumulation.replace, .add] {
          let (whole, product) = (Buffer(held.array), Buffer(held.array))
          multiply(
            leftRoom.pack(left.transposed, inPairs: isPaired), room.pack(right, inPairs: isPaired),
            into: Matrix(whole, rows: m, columns: n), accumulation)
          for start in stride(from: 0, to: k, by: length) {
            let rows = start..<min(start + length, k)
            multiply(
              leftRoom.pack(left[rows: rows].transposed, inPairs: isPaired),
              room.pack(right[rows: rows], inPairs: isPaired), into: Matrix(product, rows: m, columns: n),
              accumulation, stretch: ProductStretch(sums, isFirst: start == 0, isLast: rows.upperBound == k))
            // Written by the last one alone.
            #expect(rows.upperBound == k || bits(product) == bits(held))
          }
          #expect(bits(product) == bits(whole), "[\(m), \(n)]")
        }
      }
    }
  }
}
