import ArgumentParser
import Kernels
import Lockstep

struct BenchKernels: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "Measures products of matrices on one core against its most multiply-adds, and against OpenBLAS.",
    discussion: """
      Each line is a product of m × k by k × n, in the three forms that a step has: A·B with B laid out before, as weights are for all \
      samples; A·Bᵀ with the smaller factor laid out for it, as in a forward pass; and C += Aᵀ·B with B laid out for it, as in a weights' \
      gradient; then A·B of bfloat16, both laid out before. Windows of a millisecond of all of them and of multiply-adds on registers alone take turns; \
      figures are the best of each, for other processes only slow it, and parts are of the multiply-adds' best.

      With --model, each layer of a model as it is in a step instead, products and all else: against the peak, and the bytes that it must \
      move at least against what copying more than a cache holds gives.

      Example: lockstep bench kernels --sizes 32x784x512,1600x64x192
      """)

  @Option(help: "The products, m×k×n, with commas between.")
  var sizes = "32x784x512,256x512x512,1600x64x192,6272x64x256,784x96x64,49x16x49,49x49x16,197x16x197,197x197x16"

  @Option(help: "The windows of each product.")
  var windows = 200

  @Option(help: "Measures the layers of this network: \(modelNames).")
  var model: String?

  @Option(help: "The factors of its products: fp32, or rounded to bf16.")
  var precision = ProductPrecision.fp32

  @OptionGroup var data: DataOptions

  func validate() throws {
    guard products != nil else { throw ValidationError("--sizes \(sizes) is not a list such as 32x784x512,49x16x49") }
    guard 1...100_000 ~= windows else { throw ValidationError("--windows \(windows) is not in 1 to 100000") }
  }

  /// A product's m, k and n.
  private struct Product {
    var rows: Int
    var depth: Int
    var columns: Int
    var operations: Double { 2 * Double(rows) * Double(depth) * Double(columns) }
  }

  private var products: [Product]? {
    let parts = sizes.split(separator: ",", omittingEmptySubsequences: false)
    let found = parts.compactMap { part -> Product? in
      let extents = part.split(separator: "x", omittingEmptySubsequences: false).compactMap { Int($0) }
      guard extents.count == 3, extents.allSatisfy({ (1...16_384).contains($0) }) else { return nil }
      return Product(rows: extents[0], depth: extents[1], columns: extents[2])
    }
    return found.count == parts.count ? found : nil
  }

  func run() throws {
    guard World.isFirst else { return }
    try prepareArithmetic()
    if let model { return try measure(model) }
    Terminal.say("products, one core, \(KernelIdentity.current), GFLOP/s (part of the peak)")
    row("m × k × n", ["peak", "A·B", "OpenBLAS", "A·Bᵀ", "OpenBLAS", "C += Aᵀ·B", "OpenBLAS", "bfloat16"])
    for product in products ?? [] { measure(product) }
  }

  private func measure(_ model: String) throws {
    let training = try waiting(while: "reading \(data.data)") { try data.load(.train) }
    let report = try waiting(while: "measuring steps of \(model) for 5 s") {
      var measurement = StepMeasurement(
        try OneRankStep(model: model, training, globalBatch: 256, microbatch: nil, precision: precision))
      return try measurement.run(seconds: 5)
    }
    report.printTable()
    report.printKernels(memory: copiedBytesPerSecond() * 1e-9)
  }

  /// What is read and written of memory while much of it is copied: the best of some times.
  private func copiedBytesPerSecond() -> Double {
    let count = 64 << 20
    let (from, to) = (Buffer<Float>(count: count), Buffer<Float>(count: count))
    from.fill(1)
    return (0..<5).reduce(0) { best, _ in max(best, 2 * 4 * Double(count) / seconds { to.copy(from: from) }) }
  }

  private func measure(_ product: Product) {
    let (m, k, n) = (product.rows, product.depth, product.columns)
    func numbers(_ count: Int) -> Buffer<Float> { Buffer((0..<count).map { Float($0 % 37) * 0x1p-5 - 0.5 }) }
    let (left, right) = (Matrix(numbers(m * k), columns: k), Matrix(numbers(k * n), columns: n))
    let (turnedLeft, turnedRight) = (
      Matrix(numbers(m * k), columns: m).transposed, Matrix(numbers(k * n), columns: k).transposed
    )
    // Rows of whole vectors, as the scores of attention have.
    let result = Matrix(Buffer(count: m * wholeVectors(n)), columns: wholeVectors(n))[columns: 0..<n]
    let (packed, room) = (PackedMatrix(rows: k, columns: n), PackedMatrix(rows: k, columns: max(m, n)))
    packed.pack(right)
    let roundedLeft = PackedLeft(rows: m, columns: k).pack(left, inPairs: true)
    let rounded = PackedMatrix(rows: k, columns: n).pack(right, inPairs: true)
    let sums = Buffer<Float>((0..<multiplyAdderSums).map { Float($0) * 1e-3 })
    let rounds = 2048
    let works: [(operations: Double, work: () -> Void)] = [
      (2 * 12 * Double(laneCount * rounds), { _ = exerciseMultiplyAdders(rounds: rounds, sums) }),
      (product.operations, { multiply(left, packed, into: result) }),
      (product.operations, { multiply(left, right, into: result) }),
      (
        product.operations,
        {
          // Few rows: they are laid out, and the many weights read where they lie.
          if m < n && k >= 256 {
            multiply(turnedRight.transposed, room.pack(left.transposed), into: result.transposed)
          } else {
            multiply(left, room.pack(turnedRight), into: result)
          }
        }
      ),
      (product.operations, { multiply(left, turnedRight, into: result) }),
      (product.operations, { multiply(turnedLeft, room.pack(right), into: result, .add) }),
      (product.operations, { multiply(turnedLeft, right, into: result, .add) }),
      (product.operations, { multiply(roundedLeft, rounded, into: result) }),
    ]
    let best = bestSpeeds(works)
    let figures = best.dropFirst().map { "\(fixed($0 * 1e-9, 1)) (\(fixed(100 * $0 / best[0], 0)) %)" }
    row("\(m) × \(k) × \(n)", [fixed(best[0] * 1e-9, 1)] + figures)
  }

  /// The best speed of each work over all windows, in operations a second.
  private func bestSpeeds(_ works: [(operations: Double, work: () -> Void)]) -> [Double] {
    let repetitions = works.map { _, work in
      work()
      return max(1, Int(1e-3 / max(seconds(work), 1e-9)))
    }
    var best = works.map { _ in 0.0 }
    for _ in 0..<windows {
      for (index, (operations, work)) in works.enumerated() {
        let time = seconds { for _ in 0..<repetitions[index] { work() } }
        best[index] = max(best[index], operations * Double(repetitions[index]) / max(time, 1e-9))
      }
    }
    return best
  }

  private func seconds(_ work: () -> Void) -> Double {
    let start = ContinuousClock.now
    work()
    return (.now - start).seconds
  }

  private func row(_ name: String, _ figures: [String]) {
    Terminal.say(([name] + figures).map { String(repeating: " ", count: max(1, 17 - $0.count)) + $0 }.joined())
  }
}
