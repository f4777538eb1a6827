import COpenSSL

/// X25519 (RFC 7748), HKDF with SHA-256 (RFC 5869) and ChaCha20-Poly1305 (RFC 8439), as libcrypto has them.
///
/// This file is the room's only fence around libcrypto. Its calls fail if memory runs out or libcrypto is broken, which ends the
/// program; where others can make them fail, by a public key or a ciphertext, the result is nil.
package enum LibCrypto {
  /// The length of a private key, a public key, an agreed secret and a key of the cipher: 32 bytes.
  package static let keyLength = 32
  /// The bytes by which a ciphertext is longer than its text: 16.
  package static let tagLength = 16

  /// The public key of `privateKey`, any 32 bytes.
  package static func publicKey(of privateKey: [UInt8]) -> [UInt8] {
    let key = unsafe x25519Key(privateKey)
    defer { unsafe EVP_PKEY_free(key) }
    var bytes = [UInt8](repeating: 0, count: keyLength)
    var count = keyLength
    let status = unsafe EVP_PKEY_get_raw_public_key(key, &bytes, &count)
    precondition(status == 1 && count == keyLength, "libcrypto: X25519 failed")
    return bytes
  }

  /// The secret that the owners of the two keys share. nil if `publicKey` is not 32 bytes, or one of the few from which every
  /// private key makes zeros.
  package static func agreement(_ privateKey: [UInt8], _ publicKey: [UInt8]) -> [UInt8]? {
    guard publicKey.count == keyLength else { return nil }
    let key = unsafe x25519Key(privateKey)
    defer { unsafe EVP_PKEY_free(key) }
    guard let peer = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nil, publicKey, keyLength) else { return nil }
    defer { unsafe EVP_PKEY_free(peer) }
    guard let context = unsafe EVP_PKEY_CTX_new(key, nil) else { fatalError("libcrypto: no memory for X25519") }
    defer { unsafe EVP_PKEY_CTX_free(context) }
    var bytes = [UInt8](repeating: 0, count: keyLength)
    var count = keyLength
    guard unsafe EVP_PKEY_derive_init(context) == 1, unsafe EVP_PKEY_derive_set_peer(context, peer) == 1,
      unsafe EVP_PKEY_derive(context, &bytes, &count) == 1
    else {
      ERR_clear_error()
      return nil
    }
    precondition(count == keyLength, "libcrypto: X25519 failed")
    return bytes
  }

  private static func x25519Key(_ privateKey: [UInt8]) -> OpaquePointer {
    precondition(privateKey.count == keyLength, "a private key of \(privateKey.count) bytes")
    guard let key = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nil, privateKey, keyLength) else {
      fatalError("libcrypto: no X25519")
    }
    return unsafe key
  }

  /// `count` bytes, at most 8,160, that follow from `secret` and `purpose` and tell neither `secret` nor those of another purpose.
  package static func derived(
    from secret: [UInt8], salt: [UInt8] = [], purpose: [UInt8], count: Int = keyLength
  ) -> [UInt8] {
    guard let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nil) else { fatalError("libcrypto: no HKDF") }
    defer { unsafe EVP_PKEY_CTX_free(context) }
    var bytes = [UInt8](repeating: 0, count: count)
    var made = count
    let succeeded =
      unsafe EVP_PKEY_derive_init(context) == 1
      && EVP_PKEY_CTX_set_hkdf_md(context, EVP_sha256()) == 1
      && EVP_PKEY_CTX_set1_hkdf_key(context, secret, Int32(secret.count)) == 1
      && (salt.isEmpty || EVP_PKEY_CTX_set1_hkdf_salt(context, salt, Int32(salt.count)) == 1)
      && EVP_PKEY_CTX_add1_hkdf_info(context, purpose, Int32(purpose.count)) == 1
      && EVP_PKEY_derive(context, &bytes, &made) == 1
    precondition(succeeded && made == count, "libcrypto: HKDF failed")
    return bytes
  }

  /// `text`, encrypted, and behind it the tag by which ``opened(_:key:context:nonce:)`` knows that neither it nor `context` was
  /// changed. A key must not meet the same nonce twice.
  package static func sealed(
    _ text: [UInt8], key: [UInt8], context: [UInt8], nonce: [UInt8] = [UInt8](repeating: 0, count: 12)
  ) -> [UInt8] {
    let cipher = unsafe newCipher(key: key, nonce: nonce)
    defer { unsafe EVP_CIPHER_CTX_free(cipher) }
    var bytes = [UInt8](repeating: 0, count: text.count)
    var tag = [UInt8](repeating: 0, count: tagLength)
    var count: Int32 = 0
    let succeeded =
      unsafe EVP_EncryptInit_ex(cipher, EVP_chacha20_poly1305(), nil, key, nonce) == 1
      && EVP_EncryptUpdate(cipher, nil, &count, context, Int32(context.count)) == 1
      && EVP_EncryptUpdate(cipher, &bytes, &count, text, Int32(text.count)) == 1
      && EVP_EncryptFinal_ex(cipher, nil, &count) == 1
      && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, Int32(tagLength), &tag) == 1
    precondition(succeeded, "libcrypto: ChaCha20-Poly1305 failed")
    return bytes + tag
  }

  /// The text of `ciphertext`; nil if it was not sealed with this key, context and nonce.
  package static func opened(
    _ ciphertext: [UInt8], key: [UInt8], context: [UInt8], nonce: [UInt8] = [UInt8](repeating: 0, count: 12)
  ) -> [UInt8]? {
    guard ciphertext.count >= tagLength else { return nil }
    let cipher = unsafe newCipher(key: key, nonce: nonce)
    defer { unsafe EVP_CIPHER_CTX_free(cipher) }
    let length = ciphertext.count - tagLength
    var tag = Array(ciphertext[length...])
    var bytes = [UInt8](repeating: 0, count: length)
    var count: Int32 = 0
    let succeeded =
      unsafe EVP_DecryptInit_ex(cipher, EVP_chacha20_poly1305(), nil, key, nonce) == 1
      && EVP_DecryptUpdate(cipher, nil, &count, context, Int32(context.count)) == 1
      && EVP_DecryptUpdate(cipher, &bytes, &count, ciphertext, Int32(length)) == 1
      && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, Int32(tagLength), &tag) == 1
    precondition(succeeded, "libcrypto: ChaCha20-Poly1305 failed")
    return unsafe EVP_DecryptFinal_ex(cipher, nil, &count) == 1 ? bytes : nil
  }

  private static func newCipher(key: [UInt8], nonce: [UInt8]) -> OpaquePointer {
    precondition(key.count == keyLength && nonce.count == 12, "a key of \(key.count) bytes, a nonce of \(nonce.count)")
    guard let cipher = unsafe EVP_CIPHER_CTX_new() else { fatalError("libcrypto: no memory for a cipher") }
    return unsafe cipher
  }
}
