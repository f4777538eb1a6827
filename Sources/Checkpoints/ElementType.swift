/// The type of a tensor's elements, by its name in the format.
public enum ElementType: String, Hashable, Sendable, CaseIterable {
  /// One byte, 0 or 1.
  case bool = "BOOL"
  /// 8-bit integers.
  case uint8 = "U8"
  /// 8-bit integers, signed.
  case int8 = "I8"
  /// 8-bit floats, 5 bits of exponent.
  case float8e5m2 = "F8_E5M2"
  /// 8-bit floats, 4 bits of exponent.
  case float8e4m3 = "F8_E4M3"
  /// 8-bit floats, 5 bits of exponent, without infinities or a negative zero.
  case float8e5m2fnuz = "F8_E5M2FNUZ"
  /// 8-bit floats, 4 bits of exponent, without infinities or a negative zero.
  case float8e4m3fnuz = "F8_E4M3FNUZ"
  /// 8-bit powers of two.
  case float8e8m0 = "F8_E8M0"
  /// 16-bit integers, signed.
  case int16 = "I16"
  /// 16-bit integers.
  case uint16 = "U16"
  /// 16-bit floats, IEEE 754.
  case float16 = "F16"
  /// 16-bit floats, 8 bits of exponent.
  case bfloat16 = "BF16"
  /// 32-bit integers, signed.
  case int32 = "I32"
  /// 32-bit integers.
  case uint32 = "U32"
  /// 32-bit floats, IEEE 754: `Float`.
  case float32 = "F32"
  /// 64-bit floats, IEEE 754.
  case float64 = "F64"
  /// 64-bit integers, signed.
  case int64 = "I64"
  /// 64-bit integers.
  case uint64 = "U64"
  /// Complex numbers of two 32-bit floats.
  case complex64 = "C64"

  /// The size of an element in bytes.
  public var byteCount: Int {
    switch self {
    case .bool, .uint8, .int8, .float8e5m2, .float8e4m3, .float8e5m2fnuz, .float8e4m3fnuz, .float8e8m0: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .float64, .int64, .uint64, .complex64: 8
    }
  }
}
