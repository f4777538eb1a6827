/// What a ``JSONReader`` throws: the error type of the format that it reads.
public protocol JSONFault: Error {
  /// The text is wrong at this byte, where `expected` should stand.
  static func syntax(offset: Int, expected: String) -> Self

  /// An object has this key twice, the second time at this byte.
  static func duplicateKey(_ key: String, offset: Int) -> Self
}
