/// The safetensors format, and the checksums that this project's files add to it.
///
/// ```
/// 8 bytes    length of the header, little-endian
/// header     JSON: {"__metadata__": {string: string, …}, name: {"dtype", "shape", "data_offsets": [begin, end]}, …},
///            padded with spaces so that the data begins at a multiple of 8
/// data       each tensor's elements, little-endian, the last axis varying fastest, at [begin, end) of the data
/// ```
///
/// The tensors cover the data without a hole, an overlap or a byte left over. The format is described at
/// github.com/huggingface/safetensors. This reader is stricter: a header has at most 16 MiB (there: 100 MB), a shape at
/// most 64 extents and none of 0. An unknown member of a tensor's entry and element types of less than a byte are
/// errors.
///
/// ## Checksums
/// Checksums are metadata, so every reader of the format reads these files:
/// - `sha256.NAME`: the SHA-256 of the data of tensor NAME, 64 lower-case hexadecimal digits
/// - `sha256`: the SHA-256 of the whole file (length, header, padding, data), computed with 64 times "0" in the place
///   of its own digits. So it covers every byte of the file.
///
/// A file has all of them or none.
public enum SafeTensors {
  /// The longest header that is read or written: 16 MiB, room for some hundred thousand tensors.
  public static let headerLimit = 16 << 20

  /// The metadata key of the whole file's checksum.
  static let fileChecksumKey = "sha256"

  /// The metadata key of a tensor's checksum.
  static func checksumKey(of tensor: String) -> String { "sha256.\(tensor)" }

  /// Whether `key` is reserved for a checksum.
  static func isChecksumKey(_ key: String) -> Bool { key == fileChecksumKey || tensor(ofChecksumKey: key) != nil }

  /// The tensor whose checksum has this key; nil for any other key. Compared by bytes: a name may begin with a
  /// combining character.
  static func tensor(ofChecksumKey key: String) -> String? {
    let prefix = "sha256.".utf8
    return key.utf8.starts(with: prefix) ? String(Substring(key.utf8.dropFirst(prefix.count))) : nil
  }

  static let metadataKey = "__metadata__"

  /// The digits in the place of the whole file's checksum while it is computed.
  static let checksumPlaceholder = [UInt8](repeating: UInt8(ascii: "0"), count: 64)
}
