import CZlib
import FoundationEssentials

/// Unpacks a gzip stream (RFC 1952) held in memory, as far as asked and no further.
///
/// This file is the package's one fence around zlib. It uses `inflate` and not the `gz…` calls, which cannot tell a
/// stream from what follows it, and read what is not gzip as if it were plain.
@safe
struct GzipStream: ~Copyable {
  private let compressed: Data
  /// Where in `compressed` zlib goes on reading.
  private var position = 0
  private var ended = false
  /// On the heap, because zlib's own state points back to it: it must not move.
  private let stream: UnsafeMutablePointer<z_stream>

  /// Deflate's best: 258 bytes for two bits. A stream that promises more than that is cut, and need not be unpacked,
  /// nor memory found for it, to see it.
  static let greatestRatio = 1032

  /// Whether `data` begins as a gzip stream does.
  static func isGzip(_ data: Data) -> Bool { data.prefix(2).elementsEqual([0x1f, 0x8b]) }

  init(_ compressed: Data) {
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

  /// Bytes after the stream, once ``read(into:from:)`` has returned fewer bytes than there was room for.
  var trailingByteCount: Int { compressed.count - position }

  /// Fills `output` from byte `start` on; returns how many bytes it wrote, which are fewer than there is room for only
  /// when the stream has ended and its checksum is right.
  mutating func read(into output: inout Data, from start: Int) throws(IDXError.Cause) -> Int {
    let room = output.count - start
    var written = 0
    while written < room && !ended {
      // zlib counts in 32 bits.
      let (input, space) = (min(compressed.count - position, 1 << 30), min(room - written, 1 << 30))
      let status = step(input: input, output: &output, at: start + written, space: space)
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
  private func step(input: Int, output: inout Data, at start: Int, space: Int) -> Int32 {
    unsafe compressed.withUnsafeBytes { source in
      unsafe output.withUnsafeMutableBytes { target in
        // zlib's declarations lack a const: it does not write through next_in.
        unsafe stream.pointee.next_in = UnsafeMutablePointer(
          mutating: source.baseAddress?.advanced(by: position).assumingMemoryBound(to: UInt8.self))
        unsafe stream.pointee.avail_in = UInt32(input)
        unsafe stream.pointee.next_out = target.baseAddress?.advanced(by: start).assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_out = UInt32(space)
        return unsafe inflate(stream, Z_NO_FLUSH)
      }
    }
  }

  /// A gzip file may be several streams in a row; anything else after a stream is not part of it.
  private mutating func endMember() throws(IDXError.Cause) {
    guard compressed.dropFirst(position).prefix(2).elementsEqual([0x1f, 0x8b]) else {
      ended = true
      return
    }
    guard unsafe inflateReset(stream) == Z_OK else { throw .gzip(.corrupt("cannot go on to the next member")) }
  }
}
