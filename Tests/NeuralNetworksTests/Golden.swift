import Glibc
import Tensors
import Testing

/// A tensor in brief, as the scripts' `show` prints it: its first six values, and Σ value[k] · cos k, in which every value
/// counts and no two can change places.
struct Golden: CustomTestStringConvertible {
  let head: [Double]
  let fingerprint: Double

  init(_ head: [Double], _ fingerprint: Double) {
    self.head = head
    self.fingerprint = fingerprint
  }

  var testDescription: String { "\(head) … \(fingerprint)" }

  /// Expects `buffer` to be this tensor up to Float's rounding in another order: `rounding` of its largest value, which the
  /// fingerprint may gather over many.
  func expect(
    _ buffer: Buffer<Float>, _ name: String, within rounding: Double = 1e-5,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let values = buffer.array.map(Double.init)
    let tolerance = rounding * (values.map(abs).max() ?? 0)
    #expect(head.count == min(6, values.count), "\(name)", sourceLocation: location)
    for (k, expected) in head.enumerated() {
      #expect(abs(values[k] - expected) <= tolerance, "\(name)[\(k)]", sourceLocation: location)
    }
    var sum = 0.0
    for (k, value) in values.enumerated() { sum += value * cos(Double(k)) }
    #expect(
      abs(sum - fingerprint) <= tolerance * max(1, Double(values.count).squareRoot()), "\(name)'s fingerprint",
      sourceLocation: location)
  }
}
