import SecureAggregation
import Statistics
import Tensors
import Testing

/// The server holds masked words and messages, and at the end the sum: no client's levels, at any time.
@Suite struct ServerMemoryTests {
  static let clients = Array(0..<9)
  static let gone: [Int: Cohort.Dropout] = [1: .update, 4: .update, 6: .shares]

  @Test func `Neither the server nor the wire ever holds a client's levels`() throws {
    var cohort = try Cohort(Self.clients, parameterCount: 400)
    let result = try cohort.run(Self.gone)
    let rest = Self.clients.filter { Self.gone[$0] == nil }
    cohort.servers.append(cohort.server)
    let memories = cohort.servers.map { memory(of: $0) }

    // The search sees what it is to see: all 401 words of the server's sum, and the levels in a plain message.
    let sum = windows(of: bytes(result.levels))
    #expect(memories.allSatisfy { $0.count > 1604 })
    #expect(found(result.levels, in: windows(of: memories[memories.count - 1])) == 399)
    #expect(memories.dropLast().allSatisfy { found(result.levels, in: windows(of: $0)) == 0 })
    let plain = try Self.clients.map { try cohort.plain($0).levels }
    #expect(found(plain[2], in: windows(of: [7] + bytes(plain[2]))) == 399)
    #expect(found(plain[2], in: sum) == 0)

    for haystack in memories + cohort.wire {
      let windows = windows(of: haystack)
      for levels in plain {
        #expect(found(levels, in: windows) == 0)
        #expect(found(levels.map { 0 &- $0 }, in: windows) == 0)
      }
    }
    // Nor the sum of fewer than all.
    for left in rest {
      let partial = try cohort.plainSum(of: rest.filter { $0 != left }).levels
      #expect(memories.allSatisfy { found(partial, in: windows(of: $0)) == 0 })
    }
  }

  @Test func `Masked words look random, alone and summed`() throws {
    var cohort = try Cohort(Self.clients, parameterCount: 40_000)
    let deliveries = try cohort.share(try cohort.advertise())
    var sum = try cohort.masked(deliveries[0])
    #expect(isUniform(sum))
    for delivery in deliveries.dropFirst() {
      let update = try cohort.masked(delivery)
      #expect(isUniform(update))
      sum.add(update)
    }
    // All masks between the clients have cancelled: their own ones hide the sum.
    #expect(isUniform(sum))
    #expect(!isUniform(counts(try cohort.plain(0).levels, shift: 8)), "the test sees plain levels")
  }

  /// Two clients with one mask between them: what they send differs from their levels by words that are alike.
  @Test func `Masks cancel in pairs, and each round has others`() throws {
    func words(round: Int) throws -> [UInt32] {
      var cohort = try Cohort([0, 1], parameterCount: 64, round: round)
      let deliveries = try cohort.share(try cohort.advertise())
      let masked = try cohort.masked(deliveries[0]).words
      return zip(masked, try cohort.plain(0).levels).map { $0 &- $1 }
    }
    let (first, second) = (try words(round: 1), try words(round: 2))
    #expect(zip(first, second).allSatisfy { $0 != $1 })
    #expect(Set(first).count == first.count)
  }

  private func isUniform(_ update: MaskedUpdate) -> Bool {
    [0, 8, 16, 24].allSatisfy { isUniform(counts(update.words, shift: $0)) }
  }

  private func isUniform(_ counts: [Int]) -> Bool { Statistics.isUniform(counts) }

  private func counts(_ words: [UInt32], shift: UInt32) -> [Int] {
    words.reduce(into: [Int](repeating: 0, count: 256)) { $0[Int($1 >> shift & 255)] += 1 }
  }

  private func bytes(_ words: [UInt32]) -> [UInt8] {
    words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
  }

  /// Every eight bytes in a row.
  private func windows(of bytes: [UInt8]) -> Set<UInt64> {
    var (windows, window): (Set<UInt64>, UInt64) = ([], 0)
    for (index, byte) in bytes.enumerated() {
      window = window >> 8 | UInt64(byte) << 56
      if index >= 7 { windows.insert(window) }
    }
    return windows
  }

  /// How many pairs of words in a row are in a memory.
  private func found(_ words: [UInt32], in windows: Set<UInt64>) -> Int {
    zip(words, words.dropFirst()).count { windows.contains(UInt64($1) << 32 | UInt64($0)) }
  }

  /// The bytes of everything that a value holds, numbers in the order of memory.
  private func memory(of value: Any) -> [UInt8] {
    switch value {
    case let bytes as [UInt8]: return bytes
    case let rows as [SIMD16<UInt32>]: return self.bytes(rows.flatMap { row in (0..<16).map { row[$0] } })
    case let words as SIMD8<UInt64>:
      return (0..<8).flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: words[word] >> (8 * UInt64($0))) } }
    case let word as UInt32: return bytes([word])
    case let number as Int: return (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    default: return Mirror(reflecting: value).children.flatMap { memory(of: $0.value) }
    }
  }
}
