/// An integer modulo the prime 2⁶¹ − 1.
package struct FieldElement: Equatable, Sendable {
  /// 2⁶¹ − 1.
  package static let prime: UInt64 = 1 << 61 - 1

  /// Below the prime.
  package let value: UInt64

  /// nil if `value` is not below the prime.
  package init?(_ value: UInt64) {
    guard value < Self.prime else { return nil }
    self.value = value
  }

  private init(reducing value: UInt64) { self.value = value < Self.prime ? value : value - Self.prime }

  static let zero = FieldElement(reducing: 0)
  static let one = FieldElement(reducing: 1)

  /// A number below 2³².
  init(small value: UInt32) { self.init(reducing: UInt64(value)) }

  /// All elements are equally likely.
  static func random(_ words: inout SecretWords) -> FieldElement {
    while true {
      // 61 bits, of which only one number is no element.
      if let element = FieldElement(words.next() >> 3) { return element }
    }
  }

  static func + (left: FieldElement, right: FieldElement) -> FieldElement {
    FieldElement(reducing: left.value + right.value)
  }

  static func - (left: FieldElement, right: FieldElement) -> FieldElement {
    FieldElement(reducing: left.value + (prime - right.value))
  }

  static func * (left: FieldElement, right: FieldElement) -> FieldElement {
    let product = left.value.multipliedFullWidth(by: right.value)
    // 2⁶¹ is 1 here, so what stands above the lowest 61 bits is added to them.
    return FieldElement(reducing: product.low & prime + (product.high << 3 | product.low >> 61))
  }

  /// 1 / self, which must not be zero: self to the power of the prime − 2 (Fermat).
  var inverse: FieldElement {
    precondition(value != 0, "zero has no inverse")
    var (result, power, exponent) = (FieldElement.one, self, Self.prime - 2)
    while exponent > 0 {
      if exponent & 1 == 1 { result = result * power }
      power = power * power
      exponent >>= 1
    }
    return result
  }
}
