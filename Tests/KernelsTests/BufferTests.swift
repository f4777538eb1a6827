import Kernels
import Testing

@Suite struct BufferTests {
  @Test func slicesShareTheirMemory() {
    let whole = Buffer([1, 2, 3, 4, 5] as [Float])
    let slice = whole[1..<4]
    slice[0] = 9
    #expect(whole.array == [1, 9, 3, 4, 5])
    slice.prefix(2).fill(0)
    #expect(whole.array == [1, 0, 0, 4, 5])
    whole.copy(from: Buffer([5, 4, 3, 2, 1]))
    #expect(slice.array == [4, 3, 2])
  }

  /// No trap: one line, and the code of a rank that failed.
  @Test func memoryThatCannotBeHadEndsInOrder() async {
    let ended = await #expect(processExitsWith: .exitCode(70), observing: [\.standardErrorContent]) {
      _ = Buffer<Float>(count: 1 << 58)
    }
    let lines = String(decoding: ended?.standardErrorContent ?? [], as: UTF8.self).split(separator: "\n")
    #expect(lines.count { $0.hasPrefix("lockstep: ") && $0.contains("cannot be had") } == 1, "\(lines)")
    await #expect(processExitsWith: .exitCode(70)) { _ = Buffer<Float>(count: .max) }
  }

  @Test func startsAtZero() {
    #expect(Buffer<Float>(count: 100).array == [Float](repeating: 0, count: 100))
    #expect(Buffer<Float>(count: 0).array.isEmpty)
  }

  @Test func bytesGoOutAndIn() {
    let values = Buffer([1.5, -2, .infinity] as [Float])
    let copy = Buffer<Float>(count: 3)
    values.withBytes { copy.copy(fromBytes: $0) }
    #expect(copy.array == values.array)
  }

  /// In release builds, too.
  @Test func rangesAreChecked() async {
    await #expect(processExitsWith: .failure) { Buffer<Float>(count: 3)[3] = 1 }
    await #expect(processExitsWith: .failure) { _ = Buffer<Float>(count: 3)[-1] }
    await #expect(processExitsWith: .failure) { _ = Buffer<Float>(count: 3)[1..<4] }
    await #expect(processExitsWith: .failure) { Buffer<Float>(count: 3).copy(from: Buffer(count: 2)) }
  }

  @Test func memoryThatIsNotThereIsRefused() {
    #expect(availableMemory > 1 << 20 && availableMemory < .max)
    #expect(Buffer<UInt8>(trying: 1 << 46) == nil)
    #expect(Buffer<Double>(trying: .max) == nil)
    #expect(Buffer<Double>(trying: -1) == nil)
    #expect(Buffer<Double>(trying: 3)?.array == [0, 0, 0])
  }
}
