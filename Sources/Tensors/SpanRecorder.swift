import Dispatch

/// Records when a rank's pieces of work began and ended, for a trace. Not for several threads at once.
///
/// While it is off, it costs a look at a flag. While it is on, a piece of work costs two looks at the clock, some 50 ns.
public final class SpanRecorder {
  /// The name of a kind of work.
  public struct Name: Sendable, Hashable {
    /// Its place in ``SpanRecorder/names``.
    public let index: Int
  }

  /// A piece of work. Of two of a rank, one lies within the other, or they do not touch.
  public struct Span: Sendable, Hashable {
    /// The place of its name in ``SpanRecorder/names``.
    public var name: Int
    /// Its first nanosecond, since the host was started.
    public var start: UInt64
    /// Its last nanosecond, likewise.
    public var end: UInt64

    /// A piece of work of this kind and time.
    public init(name: Int, start: UInt64, end: UInt64) { (self.name, self.start, self.end) = (name, start, end) }
  }

  /// The most spans that are kept: 24 bytes each.
  public static let mostSpans = 1 << 20

  /// Whether spans are recorded now.
  public var isOn = false
  /// The spans so far, in the order in which they ended.
  public private(set) var spans: [Span] = []
  /// The spans that there was no room for.
  public private(set) var lostCount = 0
  /// The names of all kinds of work.
  public private(set) var names: [String] = []

  /// A recorder without spans, that is off.
  public init() { spans.reserveCapacity(1 << 14) }

  /// The time on this host's clock, in nanoseconds since it was started: the same clock in every process.
  public static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }

  /// The name `text`, which is added if it is new.
  public func name(_ text: String) -> Name {
    if let index = names.firstIndex(of: text) { return Name(index: index) }
    names.append(text)
    return Name(index: names.count - 1)
  }

  /// Records a piece of work, if the recorder is on.
  public func record(_ name: Name, from start: UInt64, to end: UInt64) {
    guard isOn else { return }
    guard spans.count < Self.mostSpans else {
      lostCount += 1
      return
    }
    spans.append(Span(name: name.index, start: start, end: end))
  }

  /// Records `body` as a piece of work, if the recorder is on.
  public func record<Result, Failure: Error>(
    _ name: Name, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard isOn else { return try body() }
    let start = Self.now
    let result = try body()
    record(name, from: start, to: Self.now)
    return result
  }
}
