import Kernels
import Testing

/// Products without the columns that are zero in all rows are the products.
@Suite struct NonzeroColumnsTests {
  /// A matrix of `rows` × `columns` that is zero where `isLive` is not true of the column, and in most other places.
  private static func sparse(_ rows: Int, _ columns: Int, seed: UInt64, where isLive: (Int) -> Bool) -> Buffer<Float> {
    let (values, place) = (noise(rows * columns, seed: seed), noise(rows * columns, seed: seed + 1))
    return Buffer(
      (0..<rows * columns).map { isLive($0 % columns) && (place[$0] < 0 || $0 / columns == 0) ? values[$0] : 0 })
  }

  /// Which columns are not zero: none of some kind, edges, single ones, runs longer than a vector, and narrow and wide gaps.
  private static let kinds: [(String, @Sendable (Int, Int) -> Bool)] = [
    ("all", { _, _ in true }), ("the first", { column, _ in column == 0 }),
    ("the last", { column, columns in column == columns - 1 }), ("every fifth", { column, _ in column % 5 == 0 }),
    ("every third", { column, _ in column % 3 == 0 }),
    ("all but edges", { column, _ in (4..<24).contains(column % 28) }),
    ("long runs", { column, _ in column / 37 % 2 == 0 }),
    ("the last half", { column, columns in column >= columns / 2 }),
  ]
  private static let widths = Array(1...34) + [63, 64, 65, 129, 784]

  @Test(arguments: kinds.indices)
  func whatIsFoundIsEverythingThatIsNotZero(_ kind: Int) {
    for columns in Self.widths {
      var found = NonzeroColumns(columns: columns)
      for rows in [1, 3, 8] {
        let matrix = Self.sparse(rows, columns, seed: 7) { Self.kinds[kind].1($0, columns) }
        found.find(in: matrix)
        // A matrix that is the columns' own numbers shows which ones are found.
        let numbers = Buffer<Float>((0..<columns).map { Float($0) })
        let gathered = filled(NonzeroColumns.room(rows: 1, columns: found.count))
        found.gather(numbers, into: gathered)
        let places = gathered.prefix(found.count).array.map { Int($0) }
        let live = (0..<columns).filter { column in (0..<rows).contains { matrix[$0 * columns + column] != 0 } }
        #expect(Set(live).isSubset(of: places) && places == places.sorted() && Set(places).count == places.count)
        // What is found besides is a gap of at most three.
        for place in places where !live.contains(place) {
          let (before, behind) = (live.last { $0 < place }, live.first { $0 > place })
          #expect(before.map { left in behind.map { $0 - left <= 4 } ?? false } ?? false)
        }
        let rowsGathered = filled(NonzeroColumns.room(rows: rows, columns: found.count))
        found.gather(matrix, into: rowsGathered)
        let expected = Buffer((0..<rows).flatMap { row in places.map { matrix[row * columns + $0] } })
        #expect(areSame(rowsGathered.prefix(rows * found.count), expected))
      }
    }
  }

  @Test(arguments: kinds.indices)
  func productsAreTheWholeOnes(_ kind: Int) {
    for columns in Self.widths {
      for (samples, units) in [(1, 1), (3, 40), (16, 7), (17, 13), (32, 12), (40, 50)] {
        let x = Self.sparse(samples, columns, seed: 3) { Self.kinds[kind].1($0, columns) }
        var found = NonzeroColumns(columns: columns)
        found.find(in: x)
        let gathered = filled(NonzeroColumns.room(rows: samples, columns: found.count))
        found.gather(x, into: gathered)
        let few = Matrix(gathered.prefix(samples * found.count), rows: samples, columns: found.count)
        let whole = Matrix(x, rows: samples, columns: columns)

        let (weights, bias) = (noise(units * columns, seed: 1), noise(units, seed: 2))
        let left = Matrix(weights, rows: units, columns: columns)
        let (expected, product) = (filled(samples * units), filled(samples * units))
        let room = PackedMatrix(rows: columns, columns: samples)
        multiply(
          left, room.pack(whole.transposed), bias: bias,
          into: Matrix(expected, rows: samples, columns: units).transposed)
        multiply(
          left, columns: found, room.pack(few.transposed), bias: bias,
          into: Matrix(product, rows: samples, columns: units).transposed)
        #expect(areSame(product, expected), "\(columns) columns, \(samples) × \(units)")
        // As it stands, too, and without a bias.
        let (standing, other) = (filled(samples * units), filled(samples * units))
        multiply(left, room.pack(whole.transposed), into: Matrix(standing, rows: units, columns: samples))
        multiply(left, columns: found, room.pack(few.transposed), into: Matrix(other, rows: units, columns: samples))
        #expect(areSame(other, standing))

        let gradients = Matrix(noise(samples * units, seed: 5), rows: samples, columns: units).transposed
        let wide = PackedMatrix(rows: samples, columns: columns)
        for (accumulation, part) in [(Accumulation.replace, nil), (.add, nil), (.replace, 8), (.add, 8)] {
          let held = noise(units * columns, seed: 6)
          let (all, some) = (Buffer(held.array), Buffer(held.array))
          multiply(
            gradients, wide.pack(whole, part: part), into: Matrix(all, rows: units, columns: columns), accumulation,
            part: part)
          multiply(
            gradients, wide.pack(few, part: part), columns: found, into: some, accumulation, part: part,
            block: Buffer(count: found.blockRoom))
          #expect(areSame(some, all), "\(columns) columns, \(samples) × \(units), \(accumulation), \(part ?? 0)")
        }
      }
    }
  }

  /// Whether the bits are the same: no `==` of arrays within `#expect`, which would look for their difference for minutes.
  private func areSame(_ some: Buffer<Float>, _ others: Buffer<Float>) -> Bool { bits(some) == bits(others) }

  @Test func aMatrixOfZerosHasNone() {
    var found = NonzeroColumns(columns: 20)
    found.find(in: filled(60, with: 1))
    #expect(found.count == 20)
    found.find(in: filled(60, with: 0))
    #expect(found.count == 0)
    // What is no number is none that could be left out.
    found.find(in: Buffer([0, .nan, 0] + [Float](repeating: 0, count: 17)))
    #expect(found.count == 1)
  }
}
