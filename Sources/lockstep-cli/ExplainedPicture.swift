import Foundation
import Lockstep

/// What became of a picture that was to be explained by one method: the message of the rank that did it.
struct ExplainedPicture: Codable {
  /// The picture's place among all, and the method's.
  var picture: Int
  var method: Int
  /// The picture itself [input shape] and the map, 32-bit floats as they lie in memory; empty if there is a fault.
  var pixels = Data()
  var map = Data()
  /// The shape of the map.
  var mapShape: [Int] = []
  var isSigned = false
  /// The classes by their index, and the probability of each.
  var own: Int?
  var predicted = 0
  var target = 0
  var probabilities = Data()
  /// The bits of numbers, which JSON may not be able to hold: F(x), deletion and insertion; the gap of completeness, and that as a part of
  /// the range, where the method promises it.
  var score: UInt64 = 0
  var deletion: UInt64 = 0
  var insertion: UInt64 = 0
  var gaps: [UInt64]?
  /// Why it could not be explained, in one line; nil if it could.
  var fault: String?
  /// The exit code of the fault.
  var code: Int32 = 0
}

extension Data {
  /// The bytes of `values`.
  init(floats values: Buffer<Float>) {
    self.init()
    for value in values.array {
      for byte in 0..<4 { append(UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32(byte)))) }
    }
  }

  /// The floats that ``init(floats:)`` took.
  var floats: [Float] {
    let bytes = [UInt8](self)
    return stride(from: 0, to: bytes.count, by: 4).map { place in
      Float(bitPattern: bytes[place..<place + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
    }
  }
}
