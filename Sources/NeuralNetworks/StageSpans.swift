import Tensors

/// Records the stages of a network's passes, for a trace.
public final class StageSpans: StageObserver {
  private let recorder: SpanRecorder
  private let forward: [SpanRecorder.Name]
  private let backward: [SpanRecorder.Name]
  private var mark: UInt64 = 0

  /// Spans of these stages in `recorder`, called `forward` or `backward` and the stage's name.
  public init(_ stages: [StageDescription], in recorder: SpanRecorder) {
    self.recorder = recorder
    forward = stages.map { recorder.name("forward \($0.name)") }
    backward = stages.map { recorder.name("backward \($0.name)") }
  }

  public func begin() { if recorder.isOn { mark = SpanRecorder.now } }

  public func endForward(stage index: Int) { end(forward[index]) }

  public func endBackward(stage index: Int) { end(backward[index]) }

  /// One stage ends where the next one begins: one look at the clock.
  private func end(_ name: SpanRecorder.Name) {
    guard recorder.isOn else { return }
    let now = SpanRecorder.now
    recorder.record(name, from: mark, to: now)
    mark = now
  }
}
