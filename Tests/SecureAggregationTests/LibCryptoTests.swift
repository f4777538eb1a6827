import SecureAggregation
import Testing

@Suite struct LibCryptoTests {
  /// RFC 7748, § 6.1.
  @Test func `X25519 agrees as Alice and Bob do`() {
    let alice = bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    let bob = bytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    let (alicesKey, bobsKey) = (LibCrypto.publicKey(of: alice), LibCrypto.publicKey(of: bob))
    #expect(alicesKey == bytes("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"))
    #expect(bobsKey == bytes("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"))
    let shared = bytes("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
    #expect(LibCrypto.agreement(alice, bobsKey) == shared)
    #expect(LibCrypto.agreement(bob, alicesKey) == shared)
  }

  /// RFC 7748, § 5.2, the first vector.
  @Test func `X25519 multiplies a point`() {
    #expect(
      LibCrypto.agreement(
        bytes("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
        bytes("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"))
        == bytes("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"))
  }

  @Test func `A key that agrees with nobody is refused`() {
    let key = [UInt8](1...32)
    // The points of order 1 and 2: every private key makes zeros of them.
    #expect(LibCrypto.agreement(key, [UInt8](repeating: 0, count: 32)) == nil)
    #expect(LibCrypto.agreement(key, [1] + [UInt8](repeating: 0, count: 31)) == nil)
    for length in [0, 31, 33] { #expect(LibCrypto.agreement(key, [UInt8](repeating: 9, count: length)) == nil) }
    #expect(LibCrypto.agreement(key, LibCrypto.publicKey(of: key)) != nil)
  }

  /// RFC 5869, A.1, A.2 and A.3.
  @Test func `HKDF derives the RFC's bytes`() {
    #expect(
      LibCrypto.derived(
        from: [UInt8](repeating: 0x0b, count: 22), salt: [UInt8](0...12), purpose: [UInt8](0xf0...0xf9), count: 42)
        == bytes("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"))
    #expect(
      LibCrypto.derived(from: [UInt8](0...0x4f), salt: [UInt8](0x60...0xaf), purpose: [UInt8](0xb0...0xff), count: 82)
        == bytes(
          "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            + "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"))
    #expect(
      LibCrypto.derived(from: [UInt8](repeating: 0x0b, count: 22), purpose: [], count: 42)
        == bytes("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"))
  }

  /// RFC 8439, § 2.8.2.
  @Test func `ChaCha20-Poly1305 seals the RFC's text`() {
    let text = Array(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
        .utf8)
    let key = [UInt8](0x80...0x9f)
    let (nonce, context) = (bytes("070000004041424344454647"), bytes("50515253c0c1c2c3c4c5c6c7"))
    let sealed = LibCrypto.sealed(text, key: key, context: context, nonce: nonce)
    #expect(
      sealed
        == bytes(
          "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
            + "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
            + "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"))
    #expect(LibCrypto.opened(sealed, key: key, context: context, nonce: nonce) == text)
  }

  @Test func `A sealed text that anything was changed of is not opened`() {
    let (text, key, context) = ([UInt8](1...40), [UInt8](2...33), [UInt8](3...9))
    let sealed = LibCrypto.sealed(text, key: key, context: context)
    #expect(LibCrypto.opened(sealed, key: key, context: context) == text)
    for index in sealed.indices {
      var forged = sealed
      forged[index] ^= 0x20
      #expect(LibCrypto.opened(forged, key: key, context: context) == nil)
      #expect(LibCrypto.opened(Array(sealed[..<index]), key: key, context: context) == nil)
    }
    #expect(LibCrypto.opened(sealed, key: [UInt8](3...34), context: context) == nil)
    #expect(LibCrypto.opened(sealed, key: key, context: [UInt8](3...10)) == nil)
  }
}

/// The bytes written as hexadecimal digits.
private func bytes(_ hex: String) -> [UInt8] {
  let digits = hex.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count, by: 2).map { UInt8(16 * digits[$0] + digits[$0 + 1]) }
}
