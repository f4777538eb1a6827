/// The frame of a record in a TensorBoard event file, which is that of TensorFlow's TFRecord files:
///
///     uint64  length of the data, the lowest byte first
///     uint32  masked CRC-32C of the length
///     bytes   data
///     uint32  masked CRC-32C of the data
///
/// A checksum c is masked as ((c >> 15) | (c << 17)) + 0xA282EAD8, so that data with checksums inside have others outside.
public enum EventRecord {
  /// The bytes in front of the data, and behind them.
  private static let (headCount, tailCount) = (12, 4)

  /// `data` in its frame.
  public static func framed(_ data: [UInt8]) -> [UInt8] {
    let length = UInt64(data.count).littleEndianBytes
    return length + masked(length[...]).littleEndianBytes + data + masked(data[...]).littleEndianBytes
  }

  /// The data of the whole records at the beginning of `file`, in order. Ends at the first that is cut or damaged, as
  /// TensorBoard does.
  public static func contents(of file: [UInt8]) -> [ArraySlice<UInt8>] {
    var contents: [ArraySlice<UInt8>] = []
    var start = 0
    while let data = data(at: start, of: file) {
      contents.append(data)
      start = data.endIndex + tailCount
    }
    return contents
  }

  /// The data of the record at `start`; nil if no whole one is there.
  private static func data(at start: Int, of file: [UInt8]) -> ArraySlice<UInt8>? {
    guard file.count - start >= headCount + tailCount else { return nil }
    let length = file[start..<start + 8]
    guard matches(file[start + 8..<start + headCount], masked(length)) else { return nil }
    let count = length.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard count <= UInt64(file.count - start - headCount - tailCount) else { return nil }
    let data = file[start + headCount..<start + headCount + Int(count)]
    return matches(file[data.endIndex..<data.endIndex + tailCount], masked(data)) ? data : nil
  }

  private static func masked(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    let checksum = CRC32C.checksum(of: bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }

  private static func matches(_ bytes: ArraySlice<UInt8>, _ checksum: UInt32) -> Bool {
    bytes.elementsEqual(checksum.littleEndianBytes)
  }
}
