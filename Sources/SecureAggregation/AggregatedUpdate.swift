import Privacy
import Tensors

/// The sum of a round: all that the server learns of the updates.
public struct AggregatedUpdate: Sendable {
  /// The clients whose updates are in the sum, rising.
  public let clients: [Int]
  /// The levels, and behind them the weight.
  private let words: WordVector

  init(clients: [Int], words: WordVector) {
    self.clients = clients
    self.words = words
  }

  /// The sum of plain levels of `clients`, with which that of masked ones is equal to the bit.
  public init(plain sum: QuantisedUpdate, of clients: [Int]) { self.init(clients: clients, words: sum.words) }

  /// Σ levels, `[P]`, each at most 1023 · 2²².
  public var levels: [UInt32] { words.array.dropLast() }
  /// Σ q of the clients: their samples in units of ``AggregationSetup/maximumWeight`` / 2²².
  public var weight: UInt32 { words[words.count - 1] }

  /// The mean of the clients' updates by their samples, `[P]`: (Σ level − m · 2²¹) · 16 / Σ q, of m clients, rounded once to
  /// Double and once to Float.
  public func mean(into mean: Buffer<Float>) {
    precondition(mean.count == words.count - 1, "a mean of \(words.count - 1) values into \(mean.count)")
    let middle = Int64(clients.count) << 21
    words.writeFirst(less: middle, times: 16, over: Double(weight), to: mean)
  }

  /// The sum of the clients' weighted updates, `[P]`, each update times its samples / ``AggregationSetup/maximumWeight`` and clipped:
  /// (Σ level − m · 2²¹) / 2¹⁸, rounded once to Float.
  public func sum(into sum: Buffer<Float>) {
    precondition(sum.count == words.count - 1, "a sum of \(words.count - 1) values into \(sum.count)")
    let middle = Int64(clients.count) << 21
    words.writeFirst(less: middle, times: 1, over: 0x1p18, to: sum)
  }

  /// ``mean(into:)`` as an array.
  public var mean: [Float] {
    let values = Buffer<Float>(count: words.count - 1)
    mean(into: values)
    return values.array
  }

  /// Writes the words' bits, the weight last, to `P + 1` floats that are not read as such.
  func write(_ bits: Buffer<Float>) { words.writeBits(bits) }

  /// The sum whose words have been written by ``write(_:)``.
  init(clients: [Int], bits: Buffer<Float>) {
    self.init(clients: clients, words: WordVector(bits: bits))
  }
}
