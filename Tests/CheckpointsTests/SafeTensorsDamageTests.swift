import Checkpoints
import Foundation
import Testing

/// A small checkpoint damaged in every way that one can list: every case must be an error, none may go unseen.
@Suite struct SafeTensorsDamageTests {
  let directory: TemporaryDirectory
  let path: String
  let whole: [UInt8]
  let dataOffset: Int

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("step-00000007.safetensors")
    try sampleCheckpoint(step: 7).write(to: path)
    whole = try bytes(of: path)
    dataOffset = 8 + whole[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// The error that `bytes` give, whichever way they are opened.
  private func error(_ bytes: [UInt8]) throws -> CheckpointError? {
    try write(bytes, to: path)
    return error()
  }

  /// The error that the file as it is now gives, whichever way it is opened.
  private func error() -> CheckpointError? {
    // A damaged file must not pass for one that never had checksums.
    do throws(SafeTensorsError) {
      _ = try SafeTensorsFile(path, checksums: .optional)
      return nil
    } catch {}
    do throws(CheckpointError) {
      _ = try CheckpointFile(path)
      return nil
    } catch {
      return error
    }
  }

  @Test func wholeFilePasses() throws { #expect(try error(whole) == nil) }

  @Test func cutAtEveryLength() throws {
    var undetected: [Int] = []
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    for length in whole.indices.reversed() {
      try file.truncate(atOffset: UInt64(length))
      if error() == nil { undetected.append(length) }
    }
    #expect(undetected.isEmpty)
    print("checkpoint cut at each of \(whole.count) lengths: \(undetected.count) undetected")
  }

  @Test func everyBitFlippedAndEveryByteInverted() throws {
    var undetected: [String] = []
    var count = 0
    // In place: a file system may flush a file that is emptied and written anew, 14,520 times.
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    for index in whole.indices {
      for mask in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF, 0x29] as [UInt8] {
        try file.seek(toOffset: UInt64(index))
        try file.write(contentsOf: [whole[index] ^ mask])
        count += 1
        if error() == nil { undetected.append("byte \(index) ^ \(mask)") }
      }
      try file.seek(toOffset: UInt64(index))
      try file.write(contentsOf: [whole[index]])
    }
    #expect(error() == nil)
    #expect(undetected.isEmpty)
    print("checkpoint of \(whole.count) bytes flipped in \(count) ways: \(undetected.count) undetected")
  }

  @Test func flippedDataNamesItsTensor() throws {
    var damaged = whole
    damaged[dataOffset + 5] ^= 1
    guard case .file(let found)? = try error(damaged), case .tensorDamaged("dense.weight", _, _) = found.problem else {
      Issue.record("no damaged tensor was named")
      return
    }
  }

  @Test(arguments: [1, 4, 8, 4096]) func appended(count: Int) throws {
    #expect(try error(whole + [UInt8](repeating: 0, count: count)) != nil)
  }

  @Test func headerLengthChanged() throws {
    for difference in [-16, -8, -1, 1, 8, 16] {
      var damaged = whole
      damaged[0] = UInt8(truncatingIfNeeded: Int(damaged[0]) + difference)
      #expect(try error(damaged) != nil)
    }
  }

  @Test func tensorsSwapped() throws {
    // dense.weight and the moment after its bias have the same size.
    let length = 24
    let other = dataOffset + 36
    var damaged = whole
    damaged.replaceSubrange(dataOffset..<dataOffset + length, with: whole[other..<other + length])
    damaged.replaceSubrange(other..<other + length, with: whole[dataOffset..<dataOffset + length])
    #expect(damaged != whole)
    #expect(try error(damaged) != nil)
  }

  @Test func tensorsSwappedUnderARenewedFileChecksum() throws {
    var damaged = whole
    let other = dataOffset + 36
    damaged.replaceSubrange(dataOffset..<dataOffset + 24, with: whole[other..<other + 24])
    damaged.replaceSubrange(other..<other + 24, with: whole[dataOffset..<dataOffset + 24])
    let text = String(decoding: damaged[8..<dataOffset], as: UTF8.self)
    let marker = try #require(text.firstRange(of: #""sha256":""#))
    let digits = 8 + text.utf8.distance(from: text.startIndex, to: marker.upperBound)
    damaged.replaceSubrange(digits..<digits + 64, with: [UInt8](repeating: 0x30, count: 64))
    damaged.replaceSubrange(digits..<digits + 64, with: sha256(damaged).utf8)
    guard case .file(let found)? = try error(damaged), case .tensorDamaged = found.problem else {
      Issue.record("the swap went unseen")
      return
    }
  }

  @Test func zeroedBlocks() throws {
    for start in stride(from: 0, to: whole.count, by: 512) {
      var damaged = whole
      for index in start..<min(start + 512, whole.count) { damaged[index] = 0 }
      #expect(try error(damaged) != nil)
    }
  }
}
