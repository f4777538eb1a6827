// Vectors that a kernel keeps in registers. Their number is part of the type, so the compiler unrolls every loop over
// them and each gets a register of its own: one source serves every size. Some things send all of them to memory, and
// halve a kernel's speed, as was seen in the machine code: an index that is no constant; a loop with so long a body (a
// total, a pooling) that it is not unrolled; a closure that captures them; and `InlineArray(repeating:)`, which is a
// call. launch/guard counts it.

/// `count` vectors: sums, or factors that are used again and again. Together with the other values of a kernel they
/// must fit into the processor's sixteen registers, or AVX-512's thirty-two.
@usableFromInline package struct Registers<let count: Int> {
  @usableFromInline var vectors: InlineArray<count, Lanes>

  /// Zeros.
  @inlinable
  @inline(__always)
  package init() { vectors = InlineArray { _ in Lanes(repeating: 0) } }

  /// The vectors at `memory`, `stride` floats apart.
  @inlinable
  @inline(__always)
  package init(_ memory: UnsafePointer<Float>, stride: Int = laneCount) {
    vectors = InlineArray { index in unsafe memory.lanes(index &* stride) }
  }

  @inlinable
  @inline(__always)
  package subscript(index: Int) -> Lanes {
    get { vectors[index] }
    set { vectors[index] = newValue }
  }

  /// Replaces values less than 0 by 0.
  @inlinable
  @inline(__always)
  package mutating func rectify() {
    let zero = Lanes(repeating: 0)
    for index in 0..<count { vectors[index].replace(with: zero, where: vectors[index] .< zero) }
  }

  /// Writes the vectors to `memory`, `stride` floats apart.
  @inlinable
  @inline(__always)
  package func store(to memory: UnsafeMutablePointer<Float>, stride: Int = laneCount) {
    for index in 0..<count { unsafe memory.store(vectors[index], index &* stride) }
  }

  /// Adds to each vector that at `memory`, times `factor`; those are `stride` floats apart.
  @inlinable
  @inline(__always)
  package mutating func addProducts(_ memory: UnsafePointer<Float>, stride: Int = laneCount, _ factor: Lanes) {
    for index in 0..<count {
      vectors[index] = unsafe vectors[index].addingProduct(factor, memory.lanes(index &* stride))
    }
  }

  /// Adds the outer product of the floats at `column`, one a vector and `stride` floats apart, and of a vector.
  @inlinable
  @inline(__always)
  package mutating func addOuterProduct(_ column: UnsafePointer<Float>, stride: Int, _ vector: Lanes) {
    for index in 0..<count {
      vectors[index] = unsafe vectors[index].addingProduct(column.broadcast(index &* stride), vector)
    }
  }

  /// Adds each vector, times `factor`, to that at `memory`, side by side.
  @inlinable
  @inline(__always)
  package func addProducts(to memory: UnsafeMutablePointer<Float>, _ factor: Lanes) {
    for index in 0..<count {
      let at = index &* laneCount
      unsafe memory.store(memory.lanes(at).addingProduct(factor, vectors[index]), at)
    }
  }
}

/// Sums that a kernel keeps in registers: `rows` pairs of vectors. So a value read for a row serves two products, and
/// one read for a column as many as there are rows.
@usableFromInline package struct RegisterTile<let rows: Int> {
  @usableFromInline package var left: Registers<rows>
  @usableFromInline package var right: Registers<rows>

  /// Zeros.
  @inlinable
  @inline(__always)
  package init() {
    left = Registers()
    right = Registers()
  }

  /// The pairs at `memory`, `stride` floats apart.
  @inlinable
  @inline(__always)
  package init(_ memory: UnsafePointer<Float>, stride: Int) {
    left = unsafe Registers(memory, stride: stride)
    right = unsafe Registers(memory + laneCount, stride: stride)
  }

  /// Writes the pairs to `memory`, `stride` floats apart.
  @inlinable
  @inline(__always)
  package func store(to memory: UnsafeMutablePointer<Float>, stride: Int) {
    unsafe left.store(to: memory, stride: stride)
    unsafe right.store(to: memory + laneCount, stride: stride)
  }

  /// Adds the outer product of the floats at `column`, one a row and `stride` floats apart, and of two vectors.
  @inlinable
  @inline(__always)
  package mutating func addOuterProduct(_ column: UnsafePointer<Float>, stride: Int, _ one: Lanes, _ other: Lanes) {
    for row in 0..<rows {
      let factor = unsafe column.broadcast(row &* stride)
      left[row] = left[row].addingProduct(factor, one)
      right[row] = right[row].addingProduct(factor, other)
    }
  }

  /// Adds the lane by lane products of the vectors at `vectors`, one a row and `stride` floats apart, and of two
  /// vectors.
  @inlinable
  @inline(__always)
  package mutating func addProducts(_ vectors: UnsafePointer<Float>, stride: Int, _ one: Lanes, _ other: Lanes) {
    for row in 0..<rows {
      let factor = unsafe vectors.lanes(row &* stride)
      left[row] = left[row].addingProduct(factor, one)
      right[row] = right[row].addingProduct(factor, other)
    }
  }

  /// Adds the pairs at `memory`, `stride` floats apart.
  @inlinable
  @inline(__always)
  package mutating func add(_ memory: UnsafePointer<Float>, stride: Int) {
    for row in 0..<rows {
      left[row] += unsafe memory.lanes(row &* stride)
      right[row] += unsafe memory.lanes(row &* stride &+ laneCount)
    }
  }

  /// Adds a pair to every row.
  @inlinable
  @inline(__always)
  package mutating func add(_ one: Lanes, _ other: Lanes) {
    for row in 0..<rows {
      left[row] += one
      right[row] += other
    }
  }

  /// Replaces values less than 0 by 0.
  @inlinable
  @inline(__always)
  package mutating func rectify() {
    left.rectify()
    right.rectify()
  }

  /// Writes the pairs to a gradient, `stride` floats apart, or adds them to it.
  @inlinable
  @inline(__always)
  package func write(to gradient: UnsafeMutablePointer<Float>, stride: Int, _ accumulation: Accumulation) {
    if accumulation == .add {
      for row in 0..<rows {
        let target = unsafe gradient + row &* stride
        unsafe target.store(target.lanes(0) + left[row], 0)
        unsafe target.store(target.lanes(laneCount) + right[row], laneCount)
      }
    } else {
      unsafe store(to: gradient, stride: stride)
    }
  }
}
