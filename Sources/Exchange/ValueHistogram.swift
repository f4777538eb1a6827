import Tensors

/// A histogram of numbers as TensorBoard keeps them (`histogram.proto`): buckets of one width, from the least number to the greatest.
public struct ValueHistogram: Sendable, Equatable {
  /// The least number.
  public let least: Double
  /// The greatest number.
  public let greatest: Double
  /// The count of the numbers.
  public let count: Int
  /// Their sum.
  public let sum: Double
  /// The sum of their squares.
  public let sumOfSquares: Double
  /// The upper limit of each bucket, ascending. A number that is a limit belongs to the bucket above, and the greatest to the last.
  public let limits: [Double]
  /// The count of the numbers in each bucket.
  public let counts: [Int]

  /// The histogram of the finite numbers among `values`, in `buckets` buckets, or in one if all are the same; nil if none is finite.
  ///
  /// Thirty buckets are what TensorBoard's own writer makes.
  public init?(_ values: Buffer<Float>, buckets: Int = 30) {
    precondition(buckets >= 1, "a histogram of \(buckets) buckets")
    var (least, greatest) = (Double.infinity, -Double.infinity)
    var (count, sum, sumOfSquares) = (0, 0.0, 0.0)
    for index in 0..<values.count where values[index].isFinite {
      let number = Double(values[index])
      (least, greatest) = (min(least, number), max(greatest, number))
      (count, sum, sumOfSquares) = (count + 1, sum + number, sumOfSquares + number * number)
    }
    guard count > 0 else { return nil }
    let buckets = least == greatest ? 1 : buckets
    let width = (greatest - least) / Double(buckets)
    var counts = Array(repeating: 0, count: buckets)
    for index in 0..<values.count where values[index].isFinite {
      let bucket = width > 0 ? (Double(values[index]) - least) / width : 0
      counts[min(Int(bucket), buckets - 1)] += 1
    }
    (self.least, self.greatest, self.count, self.sum, self.sumOfSquares) = (least, greatest, count, sum, sumOfSquares)
    limits = (1...buckets).map { $0 == buckets ? greatest : least + Double($0) * width }
    self.counts = counts
  }

  /// The histogram as a message.
  var message: ProtobufMessage {
    ProtobufMessage {
      $0.add(1, least)
      $0.add(2, greatest)
      $0.add(3, Double(count))
      $0.add(4, sum)
      $0.add(5, sumOfSquares)
      $0.add(6, packed: limits)
      $0.add(7, packed: counts.map(Double.init))
    }
  }
}
