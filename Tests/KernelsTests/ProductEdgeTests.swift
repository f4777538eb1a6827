import Glibc
import Kernels
import Testing

/// Products of every size from 1 to 40 on each side, in every form. An element's bits follow from its row of the left factor and its column of
/// the right one alone, so one plain table of sums for each depth says what all of them are.
@Suite struct ProductEdgeTests {
  private static let most = 40
  /// Rows of the memory are longer than the matrices, which begin within them.
  private static let stride = most + 7
  private static let from = 3

  /// `rows` × `columns` of a matrix with room for ``most`` of each, some columns in.
  private func part(_ memory: Buffer<Float>, _ rows: Int, _ columns: Int) -> Matrix {
    let all = Matrix(memory, rows: Self.most + 1, columns: Self.stride)
    return all[rows: 0..<rows][columns: Self.from..<Self.from + columns]
  }

  private func transposed(_ memory: Buffer<Float>) -> Buffer<Float> {
    let turned = filled(memory.count)
    for i in 0..<Self.most {
      for j in 0..<Self.most { turned[i * Self.stride + Self.from + j] = memory[j * Self.stride + Self.from + i] }
    }
    return turned
  }

  /// The sums of the first k products, for one k after the other.
  private struct Sums {
    var precision: ProductPrecision
    /// Σ over k, and over the k of whole pairs, [most, most].
    let table = Buffer<Float>(count: ProductEdgeTests.most * ProductEdgeTests.most)
    private let paired = Buffer<Float>(count: ProductEdgeTests.most * ProductEdgeTests.most)

    init(_ precision: ProductPrecision) { self.precision = precision }

    /// Adds the products of column k of `a` and row k of `b`.
    func add(_ k: Int, _ a: Buffer<Float>, _ b: Buffer<Float>) {
      let (most, stride, from) = (ProductEdgeTests.most, ProductEdgeTests.stride, ProductEdgeTests.from)
      func left(_ i: Int, _ k: Int) -> Float { a[i * stride + from + k] }
      func right(_ k: Int, _ j: Int) -> Float { b[k * stride + from + j] }
      for i in 0..<most {
        for j in 0..<most {
          let at = i * most + j
          switch precision {
          case .fp32: table[at].addProduct(left(i, k), right(k, j))
          case .bf16 where k % 2 == 0:
            table[at] = pairAdded(to: paired[at], (left(i, k), -0.0), (right(k, j), 0))
          case .bf16:
            table[at] = pairAdded(to: paired[at], (left(i, k - 1), left(i, k)), (right(k - 1, j), right(k, j)))
            paired[at] = table[at]
          }
        }
      }
    }
  }

  @Test(arguments: ProductPrecision.allCases)
  func `Every size has the bits of one chain an element`(precision: ProductPrecision) {
    let (most, stride, from) = (Self.most, Self.stride, Self.from)
    let (a, b) = (noise((most + 1) * stride, seed: 1), noise((most + 1) * stride, seed: 2))
    let (turnedA, turnedB) = (transposed(a), transposed(b))
    let (room, leftRoom) = (PackedMatrix(rows: most, columns: most), PackedLeft(rows: most, columns: most))
    let sums = Sums(precision)
    let turned = Buffer<Float>(count: most * most)
    func product(_ left: Matrix, _ right: Matrix, into product: Matrix, isLaidOut: Bool) {
      let right = room.pack(right, inPairs: precision == .bf16)
      if isLaidOut || precision == .bf16 {
        multiply(leftRoom.pack(left, inPairs: precision == .bf16), right, into: product)
      } else {
        multiply(left, right, into: product)
      }
    }
    var wrong = 0
    for k in 1...most {
      sums.add(k - 1, a, b)
      for i in 0..<most { for j in 0..<most { turned[j * most + i] = sums.table[i * most + j] } }
      for m in 1...most {
        for n in 1...most {
          let (left, right) = (part(a, m, k), part(b, k, n))
          let (turnedLeft, turnedRight) = (part(turnedA, k, m).transposed, part(turnedB, n, k).transposed)
          for form in 0..<5 {
            let memory = filled((most + 1) * stride, with: 7)
            switch form {
            case 0: product(left, right, into: part(memory, m, n), isLaidOut: false)
            case 1: product(left, turnedRight, into: part(memory, m, n), isLaidOut: false)
            case 2: product(turnedLeft, right, into: part(memory, m, n), isLaidOut: false)
            case 3: product(left, turnedRight, into: part(memory, n, m).transposed, isLaidOut: false)
            default: product((m + n) % 2 == 0 ? left : turnedLeft, right, into: part(memory, m, n), isLaidOut: true)
            }
            let (rows, columns, expected) = form == 3 ? (n, m, turned) : (m, n, sums.table)
            for row in 0..<rows {
              let own = unsafe memory.base + row * stride
              let isRight = unsafe memcmp(own + from, expected.base + row * most, columns * 4) == 0
              if unsafe !isRight || own[from - 1] != 7 || own[from + columns] != 7 { wrong += 1 }
            }
            if memory[rows * stride + from] != 7 { wrong += 1 }
          }
        }
      }
    }
    #expect(wrong == 0)
  }

  /// Numbers at every edge: zeros, the least and the largest, such as are no normal numbers, ties of the rounding to bfloat16.
  @Test func `Pairs of bfloat16 have the bits of Intel's definition`() {
    let edges: [UInt32] = [
      0, 1, 0x7FFFFF, 0x800000, 0x800001, 0x3F80_0000, 0x3F80_8000, 0x3F81_8000, 0x3F80_8001, 0x7F7F_0000, 0x7F7F_FFFF,
      0x7F80_0000, 0x7FC0_0000, 0x7F80_0001, 0x2000_0000, 0x1FFF_8000, 0x0080_8000, 0x4049_0FDB,
    ]
    var words = edges.flatMap { [$0, $0 | 0x8000_0000] }
    var state: UInt32 = 1
    // Exponents whose products lie about the least normal number, and any.
    for number in 0..<164 {
      state = state &* 1_664_525 &+ 1_013_904_223
      words.append(number % 2 == 0 ? state : state & 0x807F_FFFF | (58 + state >> 8 & 7) << 23)
    }
    let (m, k) = (words.count / 2, 2)
    let a = Buffer(words.map(Float.init(bitPattern:)))
    let (left, right) = (PackedLeft(rows: m, columns: k), PackedMatrix(rows: k, columns: m))
    let product = filled(m * m)
    multiply(
      left.pack(Matrix(a, columns: k), inPairs: true), right.pack(Matrix(a, columns: k).transposed, inPairs: true),
      into: Matrix(product, columns: m))
    var wrong = 0
    for i in 0..<m {
      for j in 0..<m {
        let expected = pairAdded(to: 0, (a[2 * i], a[2 * i + 1]), (a[2 * j], a[2 * j + 1]))
        let own = product[i * m + j]
        if own.bitPattern != expected.bitPattern && !(own.isNaN && expected.isNaN) { wrong += 1 }
      }
    }
    #expect(wrong == 0)
  }

  /// So a run has one digest on processors with products of bfloat16, without them, and where multiply-adds are faster.
  @Test(arguments: [(1, nil), (2, nil), (7, nil), (40, nil), (784, nil), (40, 8), (39, 8), (21, 7)])
  func `Pairs have the bits of rounded floats with flushed denormals`(_ depth: (k: Int, part: Int?)) {
    let (k, part) = depth
    // Products and sums about the least normal number, too.
    for scale in [Float(1), 0x1p-63, 0x1p-64] {
      for (m, n) in [(1, 1), (13, 33), (12, 16), (25, 5)] {
        let (a, b) = (noise(m * k, seed: 1), noise(k * n, seed: 2))
        for buffer in [a, b] { for i in 0..<buffer.count { buffer[i] *= scale } }
        let paired = filled(m * n)
        multiply(
          PackedLeft(rows: m, columns: k).pack(Matrix(a, columns: k), inPairs: true, part: part),
          PackedMatrix(rows: k, columns: n).pack(Matrix(b, columns: n), inPairs: true, part: part),
          into: Matrix(paired, columns: n), part: part)
        roundToBFloat16(a, into: a)
        roundToBFloat16(b, into: b)
        let single = filled(m * n)
        let flushed = FlushedDenormals()
        multiply(
          Matrix(a, columns: k), PackedMatrix(rows: k, columns: n).pack(Matrix(b, columns: n)),
          into: Matrix(single, columns: n), part: part)
        flushed.end()
        #expect(bits(paired) == bits(single), "\(m)×\(k)×\(n), \(scale)")
      }
    }
  }

  /// An activation by itself.
  private static func activate(_ activation: ProductActivation, _ x: Buffer<Float>) -> Buffer<Float> {
    let y = filled(x.count)
    switch activation {
    case .none: return x
    case .relu: return Buffer(x.array.map { $0 < 0 ? 0 : $0 })
    case .gelu: gelu(x, into: y)
    case .tanh: tanh(x, into: y)
    case .sigmoid:
      // As the product of a column and the number 1.
      let one = PackedMatrix(rows: 1, columns: 1)
      one.pack(Matrix(Buffer([1]), rows: 1, columns: 1))
      multiply(Matrix(x, columns: 1), one, activation: .sigmoid, into: Matrix(y, columns: 1))
      #expect(distance(y, x.array.map { 1 / (1 + exp(-Double($0))) }) < 1e-6)
    }
    return y
  }

  @Test(arguments: [1, 2, 7, 12, 13, 16, 17, 25, 33, 40])
  func `Bias, activation, residual and addition are those of the finished sums`(m: Int) {
    for n in [1, 3, 8, 9, 15, 16, 17, 31, 32, 33, 40, 65] {
      for k in [1, 19] {
        let (a, b, bias, turnedBias) = (
          noise(m * k, seed: 1), noise(k * n, seed: 2), noise(n, seed: 3), noise(m, seed: 4)
        )
        let (left, packed) = (Matrix(a, rows: m, columns: k), PackedMatrix(rows: k, columns: n))
        packed.pack(Matrix(b, rows: k, columns: n))
        let sums = filled(m * n)
        multiply(left, packed, into: Matrix(sums, rows: m, columns: n))
        let residual = noise(m * n, seed: 5)
        for activation in [ProductActivation.none, .relu, .gelu, .tanh, .sigmoid] {
          let biased = Self.activate(activation, Buffer((0..<m * n).map { sums[$0] + bias[$0 % n] }))
          let product = filled(m * n)
          multiply(
            left, packed, bias: bias, activation: activation, residual: Matrix(residual, rows: m, columns: n),
            into: Matrix(product, rows: m, columns: n))
          #expect(bits(product) == (0..<m * n).map { (biased[$0] + residual[$0]).bitPattern })
          multiply(left, packed, bias: bias, activation: activation, into: Matrix(product, rows: m, columns: n))
          #expect(bits(product) == bits(biased))
          // The product transposed: n rows of m in memory, and a bias for each of the m.
          let turned = Self.activate(
            activation, Buffer((0..<m * n).map { sums[$0 % m * n + $0 / m] + turnedBias[$0 % m] }))
          multiply(
            left, packed, bias: turnedBias, activation: activation,
            residual: Matrix(residual, rows: n, columns: m).transposed,
            into: Matrix(product, rows: n, columns: m).transposed)
          #expect(bits(product) == (0..<m * n).map { (turned[$0] + residual[$0]).bitPattern })
        }
        // A residual whose rows lie farther apart, and one in the product's own memory.
        let far = noise(m * (n + 5), seed: 6)
        let product = filled(m * n)
        multiply(
          left, packed, residual: Matrix(far, columns: n + 5)[columns: 2..<n + 2],
          into: Matrix(product, rows: m, columns: n))
        #expect(bits(product) == (0..<m * n).map { (far[$0 / n * (n + 5) + 2 + $0 % n] + sums[$0]).bitPattern })
        let own = Buffer(residual.array)
        multiply(
          left, packed, residual: Matrix(own, rows: m, columns: n), into: Matrix(own, rows: m, columns: n))
        #expect(bits(own) == (0..<m * n).map { (residual[$0] + sums[$0]).bitPattern })
        let held = Buffer(residual.array)
        multiply(left, packed, bias: bias, into: Matrix(held, rows: m, columns: n), .add)
        #expect(bits(held) == (0..<m * n).map { (residual[$0] + (sums[$0] + bias[$0 % n])).bitPattern })
        let turned = Buffer(residual.array)
        multiply(left, packed, into: Matrix(turned, rows: n, columns: m).transposed, .add)
        #expect(bits(turned) == (0..<m * n).map { (residual[$0] + sums[$0 % m * n + $0 / m]).bitPattern })
      }
    }
  }

  /// Higham's bound, with the products in Double, which holds them exactly enough.
  @Test(arguments: [(5, 784, 17), (33, 1600, 16), (12, 3000, 32), (1, 9216, 1)])
  func `The error is within the bound`(m: Int, k: Int, n: Int) {
    let (a, b) = (noise(m * k, seed: 1), noise(k * n, seed: 2))
    let packed = PackedMatrix(rows: k, columns: n)
    packed.pack(Matrix(b, rows: k, columns: n))
    let product = filled(m * n)
    multiply(Matrix(a, rows: m, columns: k), packed, into: Matrix(product, rows: m, columns: n))
    let unit = Double(k) * 0x1p-24
    for i in 0..<m {
      for j in 0..<n {
        let terms = (0..<k).map { Double(a[i * k + $0]) * Double(b[$0 * n + j]) }
        let bound = unit / (1 - unit) * terms.reduce(0) { $0 + abs($1) }
        #expect(abs(Double(product[i * n + j]) - terms.reduce(0, +)) <= bound)
      }
    }
  }
}

/// `sum` and the products of a pair, as VDPBF16PS adds them: that of its high halves, which the first are laid out in, before the other.
private func pairAdded(to sum: Float, _ a: (Float, Float), _ b: (Float, Float)) -> Float {
  func step(_ sum: Float, _ a: Float, _ b: Float) -> Float {
    func flushed(_ x: Float) -> Float { x.isSubnormal ? Float(signOf: x, magnitudeOf: 0) : x }
    let exact = Double(flushed(rounded(a))) * Double(flushed(rounded(b))) + Double(flushed(sum))
    // Rounded to 24 bits as if there were any exponent.
    return abs(exact) < 0x1p-126 - 0x1p-151 ? Float(signOf: Float(exact), magnitudeOf: 0) : Float(exact)
  }
  return step(step(sum, a.0, b.0), a.1, b.1)
}

/// The nearest bfloat16.
func rounded(_ x: Float) -> Float {
  x.isNaN ? x : Float(bitPattern: (x.bitPattern + 0x7FFF + (x.bitPattern >> 16 & 1)) & 0xFFFF_0000)
}
