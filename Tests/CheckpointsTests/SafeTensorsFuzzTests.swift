import Checkpoints
import Fuzzing
import Glibc
import Tensors
import Testing

/// Mutated files: each is read as it stands or refused with a typed error, and none ends the process.
@Suite struct SafeTensorsFuzzTests {
  let directory: TemporaryDirectory
  let path: String

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("mutant.safetensors")
  }

  /// Not by `Data.write`, which waits for the disk; nor over the old file, which some file systems then flush.
  private func put(_ bytes: [UInt8]) throws {
    unsafe unlink(path)
    guard let file = unsafe fopen(path, "w") else { throw WriteFailed() }
    let written = unsafe fwrite(bytes, 1, bytes.count, file)
    guard unsafe fclose(file) == 0, written == bytes.count else { throw WriteFailed() }
  }
  private struct WriteFailed: Error {}

  /// The mutant with the checksum of the whole file that its bytes have, if there is a place for it.
  private func withChecksum(_ mutant: [UInt8]) -> [UInt8] {
    let marker = Array(#""sha256":""#.utf8)
    guard let start = mutant.firstRange(of: marker)?.upperBound, start + 64 <= mutant.count else { return mutant }
    var helped = mutant
    helped.replaceSubrange(start..<start + 64, with: [UInt8](repeating: 0x30, count: 64))
    helped.replaceSubrange(start..<start + 64, with: sha256(helped).utf8)
    return helped
  }

  @Test func mutatedCheckpointsAreTheSameOrRefused() throws {
    let original = sampleCheckpoint(step: 7)
    try original.write(to: path)
    let whole = try bytes(of: path)
    var (taken, fitting) = (0, 0)
    try Mutants(seed: 4).forEach(of: [whole]) { number, mutant, _ in
      let isHelped = Mutants.isHelped(number)
      try put(isHelped ? withChecksum(mutant) : mutant)
      do throws(CheckpointError) {
        let file = try CheckpointFile(path)
        let found = blank(original.tensors)
        try file.read(into: found)
        taken += 1
        if isHelped {
          fitting += 1
        } else if mutant != whole || !isIdentical(found, original.tensors) {
          // Without help, nothing but the original may pass.
          Issue.record("seed 4, mutant \(number)")
        }
      } catch {
        if error.description.contains("\n") { Issue.record("\(error)") }
      }
    }
    #expect(fitting > 3, "the checksum hides nothing from the parser")
    print("\(taken) taken, \(fitting) of them with a checksum that was made to fit")
  }

  @Test func mutatedFilesWithoutChecksumsAreReadAsTheyStandOrRefused() throws {
    let entry = #"{"dtype":"F32","shape":[2,3],"data_offsets":"#
    let files = [
      file(header: #"{"a":\#(entry)[0,24]},"b":\#(entry)[24,48]}}"#, data: [UInt8](repeating: 7, count: 48)),
      file(
        header: #"{"__metadata__":{"k":"\u00fc\ud83d\ude00 \"\\/"},"#
          + #""x":{"shape":[3],"data_offsets":[0,6],"dtype":"F16"}}"#,
        data: [1, 2, 3, 4, 5, 6]),
    ]
    var read = 0
    try Mutants(seed: 5).forEach(of: files) { number, mutant, _ in
      try put(mutant)
      do throws(SafeTensorsError) {
        let file = try SafeTensorsFile(path, checksums: .optional)
        read += 1
        for tensor in file.header.tensors where tensor.elementType == .float32 {
          let values = Buffer<Float>(count: tensor.shape.count)
          try file.read(tensor.name, shape: tensor.shape, into: values)
        }
      } catch {
        if error.description.contains("\n") { Issue.record("\(error)") }
      }
    }
    #expect(read > 50)
  }
}
