import Fuzzing
import SecureAggregation
import Testing

@Suite struct MessageTests {
  /// The messages of a round of six clients, and who received them as they were before.
  private struct Recording {
    var messages: [[UInt8]] = []
    var fresh, shared, masked, unmasking: Cohort

    init() throws {
      var cohort = try Cohort(Array(0..<6), parameterCount: 20)
      messages.append(cohort.setup.encoded)
      fresh = cohort
      let gone: [Int: Cohort.Dropout] = [5: .update]
      let deliveries = try cohort.share(try cohort.advertise())
      shared = cohort
      let request = try cohort.mask(deliveries, gone)
      masked = cohort
      _ = try cohort.unmask(request)
      unmasking = masked
      // One of each kind.
      for kind in UInt8(2)...8 { messages.append(try #require(cohort.wire.first { $0[0] == kind })) }
    }

    /// Reads a message by its first byte, and writes it again.
    func rewritten(_ bytes: [UInt8]) throws -> [UInt8] {
      switch bytes.first {
      case 1: try AggregationSetup(decoding: bytes).encoded
      case 2: try AdvertisedKeys(decoding: bytes).encoded
      case 3: try KeyRoster(decoding: bytes).encoded
      case 4: try EncryptedShares(decoding: bytes).encoded
      case 5: try DeliveredShares(decoding: bytes).encoded
      case 6: try MaskedUpdate(decoding: bytes).encoded
      case 7: try UnmaskRequest(decoding: bytes).encoded
      case 8: try RevealedShares(decoding: bytes).encoded
      default: throw AggregationError.malformed("no kind")
      }
    }

    /// Hands a message that can be read to who would receive it.
    func deliver(_ bytes: [UInt8]) throws {
      var (fresh, shared, masked) = (fresh, shared, masked)
      switch bytes[0] {
      case 2: try fresh.server.receive(AdvertisedKeys(decoding: bytes))
      case 3: _ = try fresh.withState(1) { try $0.shares(for: KeyRoster(decoding: bytes)) }
      case 4:
        _ = try fresh.advertise()
        try fresh.server.receive(EncryptedShares(decoding: bytes))
      case 5:
        let (delivery, plain) = (try DeliveredShares(decoding: bytes), try shared.plain(0))
        _ = try shared.withState(0) { try $0.maskedUpdate(plain, delivered: delivery) }
      case 6: try shared.server.receive(MaskedUpdate(decoding: bytes))
      case 7: _ = try masked.withState(0) { try $0.revealedShares(for: UnmaskRequest(decoding: bytes)) }
      case 8: try masked.server.receive(RevealedShares(decoding: bytes))
      default: break
      }
    }
  }

  @Test func `Every kind of message is read as it was written`() throws {
    let recording = try Recording()
    #expect(recording.messages.map { $0[0] } == [1, 2, 3, 4, 5, 6, 7, 8])
    for message in recording.messages {
      #expect(try recording.rewritten(message) == message)
      try recording.deliver(message)
    }
  }

  @Test func `A message that is cut anywhere, or longer, is refused`() throws {
    let recording = try Recording()
    for message in recording.messages {
      for length in 0..<message.count {
        #expect(throws: AggregationError.self) { try recording.rewritten(Array(message[..<length])) }
      }
      #expect(throws: AggregationError.malformed("a message has 1 bytes too many")) {
        try recording.rewritten(message + [0])
      }
    }
    #expect(
      throws: AggregationError.malformed(
        "a message of 100 bytes ends too early: 32 more are needed at byte 73")
    ) { try AdvertisedKeys(decoding: Array(recording.messages[1][..<100])) }
    #expect(throws: AggregationError.malformed("a message begins with 2 in the place of 3")) {
      try KeyRoster(decoding: recording.messages[1])
    }
  }

  @Test func `A count beyond the bytes makes room for nothing`() throws {
    let recording = try Recording()
    // The count of masked words, of 2³² − 1, behind one client.
    var message = recording.messages[5]
    message.replaceSubrange(13..<17, with: [255, 255, 255, 255])
    #expect(throws: AggregationError.self) { try MaskedUpdate(decoding: message) }
  }

  @Test func `A damaged message is refused, or read as it stands`() throws {
    let recording = try Recording()
    var (readCount, takenCount) = (0, 0)
    try Mutants(seed: 31).forEach(of: recording.messages) { number, mutant, _ in
      do {
        let again = try recording.rewritten(mutant)
        #expect(again == mutant, "mutant \(number)")
        readCount += 1
        try recording.deliver(mutant)
        takenCount += 1
      } catch is AggregationError {}
    }
    #expect(readCount > 100 && takenCount > 10 && takenCount < readCount, "\(readCount) read, \(takenCount) taken")
  }
}
