/// An event of a TensorBoard event file (`event.proto`): the version of the format, the start of a process, or values of a step.
public struct TensorBoardEvent: Sendable {
  /// The content of an event.
  public enum Content: Sendable {
    /// The version of the format: the first event of every file.
    case version
    /// The start of a process that writes events. A reader forgets the events of this step and of later ones that it read before.
    case start
    /// Values of the step.
    case values([SummaryValue])
  }

  /// The time in seconds since 1970.
  public let time: Double
  /// The step that it belongs to.
  public let step: Int
  /// The content.
  public let content: Content

  /// An event at `time`, in seconds since 1970.
  public init(time: Double, step: Int, _ content: Content) {
    (self.time, self.step, self.content) = (time, step, content)
  }

  /// The event as a record of a file.
  public var record: [UInt8] { EventRecord.framed(message.bytes) }

  private var message: ProtobufMessage {
    ProtobufMessage {
      // Head reads time and step here, in front of everything else.
      $0.add(1, time)
      $0.add(2, step)
      switch content {
      case .version: $0.add(3, "brain.Event:2")
      // SessionLog.START.
      case .start: $0.add(7, ProtobufMessage { $0.add(1, 1) })
      case .values(let values):
        $0.add(5, ProtobufMessage { for value in values { $0.add(1, value.message) } })
      }
    }
  }

  /// The beginning of an event that this program wrote.
  public struct Head: Sendable, Equatable {
    /// The event's step.
    public let step: Int
    /// The tag of its first value; nil if it has no values.
    public let firstTag: String?

    /// Reads the head of an event's bytes; nil if they do not begin as this program's do.
    public init?(of event: ArraySlice<UInt8>) {
      var rest = event
      guard rest.popFirst() == 0x09, rest.count > 8 else { return nil }
      rest.removeFirst(8)
      guard rest.popFirst() == 0x10, let step = Self.varint(&rest) else { return nil }
      self.step = Int(truncatingIfNeeded: step)
      firstTag = Self.tag(rest)
    }

    /// The tag in the first field of the first field of a summary.
    private static func tag(_ fields: ArraySlice<UInt8>) -> String? {
      var rest = fields
      for field in [0x2A, 0x0A] as [UInt8] {
        guard rest.popFirst() == field, varint(&rest) != nil else { return nil }
      }
      guard rest.popFirst() == 0x0A, let count = varint(&rest), count <= UInt64(rest.count) else { return nil }
      return String(decoding: rest.prefix(Int(count)), as: UTF8.self)
    }

    private static func varint(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
      var value: UInt64 = 0
      for shift in stride(from: 0, to: 64, by: 7) {
        guard let byte = rest.popFirst() else { return nil }
        value |= UInt64(byte & 0x7F) << UInt64(shift)
        if byte < 0x80 { return value }
      }
      return nil
    }
  }
}
