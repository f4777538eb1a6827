/// A trace in the format of Perfetto (perfetto.dev/docs/reference/synthetic-track-event): pieces of work on tracks, which
/// ui.perfetto.dev and its trace processor show.
public struct PerfettoTrace: Sendable {
  /// A piece of work on a track, in nanoseconds.
  public struct Slice: Sendable {
    /// The name that is shown.
    public var name: String
    /// Its first nanosecond.
    public var start: UInt64
    /// Its last nanosecond.
    public var end: UInt64

    /// A piece of work of this name and time.
    public init(_ name: String, start: UInt64, end: UInt64) { (self.name, self.start, self.end) = (name, start, end) }
  }

  /// The numbers of the fields that are used, in Perfetto's `trace_packet.proto`, `track_event.proto` and `track_descriptor.proto`.
  private enum Field {
    static let packet = 1
    static let (timestamp, sequence, event, track) = (8, 10, 11, 60)
    static let (type, trackOfEvent, name) = (9, 11, 23)
    static let (trackNumber, trackName, parent) = (1, 2, 5)
  }

  /// A slice's begin and end, as events have them.
  private enum Kind: Int { case begin = 1, end = 2 }

  private var message = ProtobufMessage()
  private var trackCount: UInt64 = 0

  /// A trace without tracks.
  public init() {}

  /// The file.
  public var bytes: [UInt8] { message.bytes }

  /// Adds a track called `name`, below `parent` or at the top, with slices of which one lies within the other or they do not touch.
  /// Returns its number.
  public mutating func addTrack(_ name: String, below parent: UInt64? = nil, _ slices: [Slice] = []) -> UInt64 {
    trackCount += 1
    let number = trackCount
    add { packet in
      packet.add(
        Field.track,
        ProtobufMessage { track in
          track.add(Field.trackNumber, number)
          track.add(Field.trackName, name)
          if let parent { track.add(Field.parent, parent) }
        })
    }
    // The longer first of those that begin together, for the others lie within it.
    var open: [Slice] = []
    for slice in slices.sorted(by: { ($0.start, $1.end) < ($1.start, $0.end) }) {
      while let last = open.last, last.end <= slice.start { end(open.removeLast(), number) }
      add(.begin, slice.name, at: slice.start, number)
      open.append(slice)
    }
    while let last = open.popLast() { end(last, number) }
    return number
  }

  private mutating func end(_ slice: Slice, _ track: UInt64) { add(.end, nil, at: slice.end, track) }

  private mutating func add(_ kind: Kind, _ name: String?, at time: UInt64, _ track: UInt64) {
    add { packet in
      packet.add(Field.timestamp, time)
      packet.add(
        Field.event,
        ProtobufMessage { event in
          event.add(Field.type, kind.rawValue)
          event.add(Field.trackOfEvent, track)
          if let name { event.add(Field.name, name) }
        })
    }
  }

  private mutating func add(_ fill: (inout ProtobufMessage) -> Void) {
    message.add(
      Field.packet,
      ProtobufMessage { packet in
        fill(&packet)
        packet.add(Field.sequence, 1)
      })
  }
}
