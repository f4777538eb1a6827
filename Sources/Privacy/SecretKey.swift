/// 256 secret bits, the key of ``RandomSource/secret(_:)``.
///
/// Whoever knows it can take the noise off again. Draw one for each run, send it to the other ranks, and keep it
/// nowhere; a resumed run draws another. It prints as `secret key`, never as its words.
public struct SecretKey: Sendable, CustomStringConvertible, CustomReflectable {
  let vector: SIMD8<UInt32>

  /// A key from the operating system's generator (`getrandom` on Linux).
  public init() {
    var generator = SystemRandomNumberGenerator()
    self.init(words: (0..<8).map { _ in generator.next() })
  }

  /// The key of these eight words, which came from another rank's ``words``.
  public init(words: [UInt32]) {
    precondition(words.count == 8, "a key of \(words.count) words")
    vector = SIMD8(words)
  }

  /// The key's eight words, to be sent to the other ranks of the job and to nobody else.
  public var words: [UInt32] { vector.indices.map { vector[$0] } }

  public var description: String { "secret key" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
