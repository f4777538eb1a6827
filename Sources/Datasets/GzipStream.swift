import CZlib
import Primitives

/// Unpacks a gzip stream (RFC 1952) in memory, as far as asked and no further.
///
/// This file is the package's only fence around zlib. It calls `inflate`, because the `gz…` calls cannot tell a stream
/// from the bytes that follow it, and read other files as if they were plain.
@safe
struct GzipStream: ~Copyable {
  private let compressed: Buffer<UInt8>
  /// The place in `compressed` of the next byte that zlib reads.
  private var position = 0
  private var ended = false
  /// zlib's stream, on the heap because zlib's state points back to it: it must not move.
  private let stream: UnsafeMutablePointer<z_stream>

  /// The most bytes that deflate makes of one: 258 from two bits. A stream that promises more is cut, which is found
  /// without unpacking it or allocating memory for it.
  static let greatestRatio = 1032

  /// Whether `bytes` begin as a gzip stream.
  static func isGzip(_ bytes: Buffer<UInt8>) -> Bool { bytes.count >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b }

  init(_ compressed: Buffer<UInt8>) {
    self.compressed = compressed
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // 16 asks for gzip's header and checksum, 15 for the largest window.
    let status = unsafe inflateInit2_(stream, 16 + MAX_WBITS, zlibVersion(), Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib: cannot start to unpack (\(status))")
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// The number of bytes behind the stream, once ``read(into:)`` has returned fewer bytes than it had room for.
  var trailingByteCount: Int { compressed.count - position }

  /// Fills `output` from its beginning and returns the number of bytes written. They are fewer than it has room for
  /// only if the stream has ended and its checksum is right. Throws ``IDXError/Cause/gzip(_:)`` for a damaged stream.
  mutating func read(into output: Buffer<UInt8>) throws(IDXError.Cause) -> Int {
    var written = 0
    while written < output.count && !ended {
      // zlib counts in 32 bits.
      let (input, space) = (min(compressed.count - position, 1 << 30), min(output.count - written, 1 << 30))
      let status = step(input: input, output[written..<written + space])
      position += input - Int(unsafe stream.pointee.avail_in)
      written += space - Int(unsafe stream.pointee.avail_out)
      switch status {
      case Z_OK: break
      case Z_STREAM_END: try endMember()
      case Z_BUF_ERROR where position == compressed.count: throw .gzip(.truncated)
      default:
        let reason = unsafe stream.pointee.msg.map { unsafe String(cString: $0) }
        throw .gzip(.corrupt(reason ?? "zlib status \(status)"))
      }
    }
    return written
  }

  /// Calls `inflate` once. The addresses that it leaves in the stream are replaced before the next call.
  private func step(input: Int, _ output: Buffer<UInt8>) -> Int32 {
    // zlib does not write through next_in.
    unsafe stream.pointee.next_in = compressed.base + position
    unsafe stream.pointee.avail_in = UInt32(input)
    unsafe stream.pointee.next_out = output.base
    unsafe stream.pointee.avail_out = UInt32(output.count)
    return unsafe inflate(stream, Z_NO_FLUSH)
  }

  /// Goes on to the next stream, if there is one: a gzip file may be several in a row. Anything else behind a stream is
  /// not part of it.
  private mutating func endMember() throws(IDXError.Cause) {
    guard Self.isGzip(compressed[position..<compressed.count]) else {
      ended = true
      return
    }
    guard unsafe inflateReset(stream) == Z_OK else { throw .gzip(.corrupt("cannot go on to the next member")) }
  }
}
