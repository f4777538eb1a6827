import CZlib
import Kernels

/// Unpacks a gzip stream (RFC 1952) held in memory, as far as asked and no further.
///
/// This file is the package's one fence around zlib. It uses `inflate` and not the `gz…` calls, which cannot tell a
/// stream from what follows it, and read what is not gzip as if it were plain.
@safe
struct GzipStream: ~Copyable {
  private let compressed: Buffer<UInt8>
  /// Where in `compressed` zlib goes on reading.
  private var position = 0
  private var ended = false
  /// On the heap, because zlib's own state points back to it: it must not move.
  private let stream: UnsafeMutablePointer<z_stream>

  /// Deflate's best: 258 bytes for two bits. A stream that promises more than that is cut, and need not be unpacked,
  /// nor memory found for it, to see it.
  static let greatestRatio = 1032

  /// Whether `bytes` begin as a gzip stream does.
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

  /// Bytes after the stream, once ``read(into:)`` has returned fewer bytes than there was room for.
  var trailingByteCount: Int { compressed.count - position }

  /// Fills `output` from its beginning; returns how many bytes it wrote, which are fewer than there is room for only
  /// when the stream has ended and its checksum is right.
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

  /// One call of `inflate`. The addresses it leaves in the stream are replaced before the next.
  private func step(input: Int, _ output: Buffer<UInt8>) -> Int32 {
    // zlib does not write through next_in.
    unsafe stream.pointee.next_in = compressed.base + position
    unsafe stream.pointee.avail_in = UInt32(input)
    unsafe stream.pointee.next_out = output.base
    unsafe stream.pointee.avail_out = UInt32(output.count)
    return unsafe inflate(stream, Z_NO_FLUSH)
  }

  /// A gzip file may be several streams in a row; anything else after a stream is not part of it.
  private mutating func endMember() throws(IDXError.Cause) {
    guard Self.isGzip(compressed[position..<compressed.count]) else {
      ended = true
      return
    }
    guard unsafe inflateReset(stream) == Z_OK else { throw .gzip(.corrupt("cannot go on to the next member")) }
  }
}
