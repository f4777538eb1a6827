import Vectors

/// The vectors of a tile's row, along `count` floats: two where they divide into pairs.
func tileVectors(in count: Int) -> Int { count % (2 * laneCount) == 0 ? 2 : 1 }

/// A tile of sums whose rows are one vector or two: what the kernels of convolutions do with either.
protocol ConvolutionTile {
  /// The floats of a row.
  static var width: Int { get }

  /// Zeros.
  init()

  /// The rows at `memory`, `stride` floats apart.
  init(_ memory: UnsafePointer<Float>, stride: Int)

  /// Adds the outer product of the floats at `column`, one a row and `stride` floats apart, and of the ``width`` floats at `row`.
  mutating func addOuterProduct(_ column: UnsafePointer<Float>, stride: Int, row: UnsafePointer<Float>)

  /// Adds the ``width`` floats at `row` to each row.
  mutating func addRow(_ row: UnsafePointer<Float>)

  /// Replaces values less than 0 by 0.
  mutating func rectify()

  /// Writes the rows to `memory`, `stride` floats apart.
  func store(to memory: UnsafeMutablePointer<Float>, stride: Int)

  /// Writes the rows to `gradient`, or adds them to what is there, one row after the other.
  func write(to gradient: UnsafeMutablePointer<Float>, stride: Int, _ accumulation: Accumulation)
}

extension Registers: ConvolutionTile {
  static var width: Int { laneCount }

  @inline(__always)
  mutating func addOuterProduct(
    _ column: UnsafePointer<Float>, stride: Int, row: UnsafePointer<Float>
  ) {
    unsafe addOuterProduct(column, stride: stride, row.lanes(0))
  }

  @inline(__always)
  mutating func addRow(_ row: UnsafePointer<Float>) {
    let lanes = unsafe row.lanes(0)
    for index in 0..<count { self[index] += lanes }
  }

  @inline(__always)
  func write(to gradient: UnsafeMutablePointer<Float>, stride: Int, _ accumulation: Accumulation) {
    for index in 0..<count {
      let target = unsafe gradient + index &* stride
      unsafe target.store(accumulation == .add ? target.lanes(0) + self[index] : self[index], 0)
    }
  }
}

extension RegisterTile: ConvolutionTile {
  static var width: Int { 2 * laneCount }

  @inline(__always)
  mutating func addOuterProduct(
    _ column: UnsafePointer<Float>, stride: Int, row: UnsafePointer<Float>
  ) {
    unsafe addOuterProduct(column, stride: stride, row.lanes(0), row.lanes(laneCount))
  }

  @inline(__always)
  mutating func addRow(_ row: UnsafePointer<Float>) { unsafe add(row.lanes(0), row.lanes(laneCount)) }
}
