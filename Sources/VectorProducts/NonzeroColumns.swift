import Primitives
import Vectors

/// The columns of a matrix that are not zero in all of its rows, so that products can do without the others.
///
/// Of the 784 pixels of MNIST's images some 530 are not black in all of 128 images. A sum to which zero times a finite number is added stays
/// the same bits, so a product without these columns is the product.
///
/// What is found are runs of columns, which are copied as such. Gaps of a few columns count as found.
public struct NonzeroColumns {
  /// The columns of the matrix.
  public let columns: Int
  /// How many of them are taken.
  public private(set) var count = 0

  /// By column, the bits that any row has there.
  private let seen: Buffer<UInt32>
  /// The found columns, one by one.
  let places: Buffer<Int32>
  /// What is copied of each row, by vectors.
  private let moves: Buffer<Move>
  private var moveCount = 0

  /// At most ``laneCount`` columns that follow each other.
  private struct Move: BitwiseCopyable {
    /// The first of them in a row, and among the found ones.
    var column: Int32
    var place: Int32
    var lanes: Int32
  }

  /// The narrowest gap between two runs, in columns.
  private static let leastGap = 4

  /// Makes the room for matrices of `columns` columns.
  public init(columns: Int) {
    self.columns = columns
    seen = Buffer(count: columns)
    places = Buffer(count: columns)
    // A run may begin in a gap's distance from the last one's end, and has one move more than whole vectors.
    moves = Buffer(count: columns / (1 + Self.leastGap) + columns / laneCount + 2)
  }

  /// Looks for the columns of `matrix`.
  ///
  /// - Parameter matrix: [n, ``columns``].
  public mutating func find(in matrix: Buffer<Float>) {
    precondition(matrix.count % columns == 0, "rows of \(columns) in \(matrix.count) floats")
    seen.fill(0)
    let (x, bits) = unsafe (UnsafePointer(matrix.base), seen.base)
    for row in stride(from: 0, to: matrix.count, by: columns) {
      for column in 0..<columns { unsafe bits[column] |= x[row &+ column].bitPattern }
    }
    (count, moveCount) = (0, 0)
    var run = 0..<0
    for column in 0..<columns where seen[column] != 0 {
      if column - run.upperBound < Self.leastGap && !run.isEmpty {
        run = run.lowerBound..<column + 1
      } else {
        add(run)
        run = column..<column + 1
      }
    }
    add(run)
  }

  private mutating func add(_ run: Range<Int>) {
    for column in run { places[count + column - run.lowerBound] = Int32(column) }
    for column in stride(from: run.lowerBound, to: run.upperBound, by: laneCount) {
      let lanes = min(laneCount, run.upperBound - column)
      moves[moveCount] = Move(column: Int32(column), place: Int32(count), lanes: Int32(lanes))
      moveCount += 1
      count += lanes
    }
  }

  /// The rows of a product that are worked out before they are copied to their columns.
  static let blockRows = 12
  /// The floats of so many rows.
  public var blockRoom: Int { Self.blockRows * columns }

  /// The floats that ``gather(_:into:)`` needs for `rows` rows: whole vectors are written, and what comes behind a run is overwritten.
  public static func room(rows: Int, columns: Int) -> Int { rows * columns + laneCount }

  /// Writes the found columns of some rows, row behind row.
  ///
  /// - Parameters:
  ///   - rows: [n, ``columns``].
  ///   - gathered: room for n rows (``room(rows:columns:)``), of which the first n · ``count`` floats are theirs.
  public func gather(_ rows: Buffer<Float>, into gathered: Buffer<Float>) {
    let height = rows.count / columns
    precondition(
      rows.count == height * columns && gathered.count >= Self.room(rows: height, columns: count),
      "\(count) of \(columns) columns of \(rows.count) floats into \(gathered.count)")
    guard moveCount > 0 else { return }
    let moves = unsafe UnsafePointer(self.moves.base)
    // A whole vector may be read beyond the end of the last rows.
    let inside = max(0, height - (laneCount + columns - 1) / columns)
    for row in 0..<height {
      let from = unsafe UnsafePointer(rows.base) + row * columns
      let to = unsafe gathered.base + row * count
      for index in 0..<moveCount {
        let move = unsafe moves[index]
        let column = Int(move.column)
        let lanes = unsafe row < inside ? from.lanes(column) : from.lanes(column, first: Int(move.lanes))
        unsafe to.store(lanes, Int(move.place))
      }
    }
  }

  /// Writes rows of the found columns to where they came from, zero in the columns that were not found, or adds them.
  ///
  /// - Parameters:
  ///   - gathered: [n, ``count``].
  ///   - rows: [n, ``columns``].
  ///   - accumulation: whether the rows are written or added to.
  func scatter(
    _ gathered: Buffer<Float>, into rows: Buffer<Float>, _ accumulation: Accumulation = .replace
  ) {
    let height = rows.count / columns
    precondition(
      rows.count == height * columns && gathered.count == height * count,
      "\(gathered.count) floats, \(count) a row, into \(rows.count), \(columns) a row")
    let moves = unsafe UnsafePointer(self.moves.base)
    for row in 0..<height {
      let from = unsafe UnsafePointer(gathered.base) + row * count
      let to = unsafe rows.base + row * columns
      if accumulation == .replace {
        forEachVector(of: columns) { column, lanes in
          unsafe to.store(Lanes(repeating: 0), column, first: lanes)
        }
      }
      for index in 0..<moveCount {
        let move = unsafe moves[index]
        let (column, place, lanes) = (Int(move.column), Int(move.place), Int(move.lanes))
        var moved = unsafe from.lanes(place, first: lanes)
        if accumulation == .add { moved = unsafe to.lanes(column, first: lanes) + moved }
        unsafe to.store(moved, column, first: lanes)
      }
    }
  }
}
