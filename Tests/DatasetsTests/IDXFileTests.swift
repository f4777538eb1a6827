import Datasets
import FoundationEssentials
import Glibc
import Tensors
import Testing

@Suite struct IDXFileTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// The cause for which `bytes` are refused, or nil if they are read.
  func cause(_ bytes: [UInt8], rank: Int = 1, types: [IDXFile.ElementType] = [.unsignedByte]) throws -> IDXError.Cause?
  {
    let path = try scratch.write(bytes, to: "file")
    do throws(IDXError) {
      _ = try IDXFile(path: path, ranks: rank...rank, types: types)
      return nil
    } catch {
      #expect(error.path == path)
      #expect(!error.isMissingInput)
      #expect(error.description.hasPrefix("\(path): "))
      #expect(!error.description.contains("\n"))
      return error.cause
    }
  }

  /// The same for the bytes plain and packed, which must be refused for the same cause.
  func causeBothWays(
    _ bytes: [UInt8], rank: Int = 1, types: [IDXFile.ElementType] = [.unsignedByte]
  ) throws -> IDXError.Cause? {
    let plain = try cause(bytes, rank: rank, types: types)
    #expect(try cause(gzipped(bytes), rank: rank, types: types) == plain)
    return plain
  }

  @Test func wellFormedFilesAreReadPlainAndPacked() throws {
    let bytes = idx([2, 3, 4], (0..<24).map { $0 })
    #expect(try causeBothWays(bytes, rank: 3) == nil)
    #expect(try IDXFile(path: scratch.write(bytes, to: "file"), ranks: 3...3).extents == [2, 3, 4])
    #expect(try IDXFile(path: scratch.write(gzipped(bytes), to: "file"), ranks: 3...3).extents == [2, 3, 4])
  }

  @Test func missingAndUnreadableFilesAreToldFromBadOnes() throws {
    let (loop, pipe) = (scratch.path("loop"), scratch.path("pipe"))
    try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
    #expect(unsafe mkfifo(pipe, 0o600) == 0)
    for (path, cause) in [
      (scratch.path("absent"), IDXError.Cause.missing),
      (scratch.directory, .unreadable(reason: "it is a directory")),
      ("/dev/null", .unreadable(reason: "not a regular file")),
      (scratch.path(String(repeating: "long", count: 100)), .unreadable(reason: "File name too long")),
      (loop, .unreadable(reason: "Too many levels of symbolic links")),
      (pipe, .unreadable(reason: "not a regular file")),
    ] {
      let error = #expect(throws: IDXError(path: path, cause: cause)) { try IDXFile(path: path, ranks: 1...1) }
      #expect(error?.isMissingInput == true)
    }
  }

  @Test func foreignFilesAreRefused() throws {
    #expect(try causeBothWays([]) == .truncated(expected: 8, found: 0))
    #expect(try causeBothWays(Array("<!DOCTYPE html>".utf8)) == .magic(60, 33))
    #expect(try causeBothWays([0, 1, 8, 1, 0, 0, 0, 1, 7]) == .magic(0, 1))
    for type in [0, 9, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 255] as [UInt8] {
      #expect(try causeBothWays(idx([1], [7], type: type)) == .elementType(type, expected: [.unsignedByte]))
    }
    #expect(
      "\(IDXError(path: "p", cause: .elementType(0x0D, expected: [.unsignedByte])))"
        == "p: its elements are 32-bit floats (IDX type 13), not unsigned bytes; give images as [count, rows, columns] of "
        + "unsigned bytes, and labels as [count] or [count, columns] of integers")
  }

  @Test func anotherRankIsRefused() throws {
    #expect(try causeBothWays(idx([1, 1], [7]), rank: 3) == .rank(2, expected: 3...3))
    #expect(try causeBothWays(idx([], [7]), rank: 1) == .rank(0, expected: 1...1))
    #expect(
      try causeBothWays([0, 0, 8, 255] + [UInt8](repeating: 1, count: 2000), rank: 3) == .rank(255, expected: 3...3))
  }

  @Test func emptyArraysAreRefused() throws {
    #expect(try causeBothWays(idx([0], [])) == .zeroExtent([0]))
    #expect(try causeBothWays(idx([2, 0, 28], []), rank: 3) == .zeroExtent([2, 0, 28]))
  }

  @Test func sizesThatOverflowAreRefused() throws {
    let most = Int(UInt32.max)
    #expect(try causeBothWays(idx([.max, .max, .max], [1]), rank: 3) == .overflow([most, most, most]))
    #expect(try causeBothWays(idx([1 << 31, 1 << 31, 2], [1]), rank: 3) == .overflow([1 << 31, 1 << 31, 2]))
    // The product fits, and its sum with the header does not: 2⁶³ − 1 = 7² · 73 · 127 · 337 · 92737 · 649657.
    #expect(
      try causeBothWays(idx([7 * 7 * 73 * 127 * 337, 92_737, 649_657], [1]), rank: 3)
        == .overflow([153_092_023, 92_737, 649_657]))
  }

  @Test func cutAndPaddedFilesAreRefused() throws {
    #expect(try causeBothWays(idx([5], [1, 2, 3, 4])) == .truncated(expected: 13, found: 12))
    #expect(try causeBothWays(idx([5], [1, 2, 3, 4, 5, 6])) == .trailingBytes(expected: 13))
    #expect(try causeBothWays(idx([5], [])) == .truncated(expected: 13, found: 8))
    #expect(try causeBothWays([0, 0, 8, 1, 0]) == .truncated(expected: 8, found: 5))
  }

  /// Every type, cut at every length and with a byte too many.
  @Test(arguments: IDXFile.ElementType.allCases)
  func cutFilesOfEveryTypeAreRefused(type: IDXFile.ElementType) throws {
    let size: Int = [.unsignedByte: 1, .signedByte: 1, .short: 2, .int: 4, .float: 4, .double: 8][type] ?? 0
    let bytes = idx([3, 2], (0..<6 * size).map { UInt8($0) }, type: type.rawValue)
    let all = IDXFile.ElementType.allCases
    #expect(try causeBothWays(bytes, rank: 2, types: all) == nil)
    #expect(try causeBothWays(bytes + [0], rank: 2, types: all) == .trailingBytes(expected: bytes.count))
    for length in bytes.indices {
      guard case .truncated(_, found: length) = try causeBothWays(Array(bytes[..<length]), rank: 2, types: all) else {
        Issue.record("\(type) cut at \(length)")
        continue
      }
    }
  }

  /// A stream that can hold all that it promises, and a machine that cannot.
  @Test func moreThanTheMachineHasIsRefusedBeforeItIsTaken() throws {
    #expect(Buffer<Double>(trying: .max) == nil)
    #expect(Buffer<UInt8>(trying: 1 << 46) == nil)
    // A sparse file takes no room on the disk.
    let path = try scratch.write(idx([1 << 30, 1 << 15], []), to: "file")
    guard unsafe truncate(path, 12 + 1 << 45) == 0 else { return }
    let error = #expect(throws: IDXError.self) { try IDXFile(path: path, ranks: 2...2) }
    guard case .memory(let bytes, _)? = error?.cause else {
      Issue.record("\(error.map { "\($0)" } ?? "read")")
      return
    }
    #expect(bytes == Double(12 + 1 << 45))
    #expect(error?.isMissingInput == false && error?.description.contains("35184373 MB") == true)
  }

  @Test func aPromiseThatThePackedSizeCannotKeepCostsNoMemory() throws {
    let promise = idx([1 << 20, 1 << 10, 1 << 10], [1, 2, 3])
    #expect(try cause(gzipped(promise), rank: 3) == .truncated(expected: 16 + 1 << 40, found: nil))
  }

  @Test func damagedStreamsAreRefused() throws {
    let packed = try gzipped(idx([300], (0..<300).map { UInt8(truncatingIfNeeded: $0 * 7) }))
    var wrongSum = packed
    wrongSum[packed.count - 8] ^= 1
    #expect(try cause(wrongSum) == .gzip(.corrupt("incorrect data check")))
    var wrongLength = packed
    wrongLength[packed.count - 1] ^= 1
    #expect(try cause(wrongLength) == .gzip(.corrupt("incorrect length check")))
    #expect(try cause(Array(packed.dropLast(9))) == .gzip(.truncated))
    #expect(try cause(Array(packed.dropLast())) == .gzip(.truncated))
    #expect(try cause(packed + [0]) == .gzip(.trailingBytes(1)))
    #expect(try cause(packed + Array("garbage".utf8)) == .gzip(.trailingBytes(7)))
  }

  /// As `cat a.gz b.gz` makes them.
  @Test func streamsInARowAreOneFile() throws {
    let bytes = idx([300], (0..<300).map { UInt8(truncatingIfNeeded: $0) })
    let row = try gzipped(Array(bytes[..<5])) + gzipped([]) + gzipped(Array(bytes[5...]))
    #expect(try cause(row) == nil)
    #expect(try cause(row + gzipped([1])) == .trailingBytes(expected: 308))
  }
}
