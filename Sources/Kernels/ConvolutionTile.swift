/// The vectors of a tile's row, along `count` floats: two where they divide into pairs.
func tileVectors(in count: Int) -> Int { count % (2 * laneCount) == 0 ? 2 : 1 }

/// A tile of sums whose rows are one vector or two.
protocol ConvolutionTile {
  static var width: Int { get }
  init()
  init(_ memory: UnsafePointer<Float>, stride: Int)
  mutating func addOuterProduct(_ column: UnsafePointer<Float>, stride: Int, row: UnsafePointer<Float>)
  mutating func addRow(_ row: UnsafePointer<Float>)
  mutating func rectify()
  func store(to memory: UnsafeMutablePointer<Float>, stride: Int)
  func write(to gradient: UnsafeMutablePointer<Float>, stride: Int, _ accumulation: Accumulation)
}

extension Registers: ConvolutionTile {
  static var width: Int { laneCount }

  @inline(__always)
  mutating func addOuterProduct(
    _ column: UnsafePointer<Float>, stride: Int, row: UnsafePointer<Float>
  ) {
    unsafe addOuterProduct(SingleOperands.self, column, stride: stride, row.lanes(0))
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
