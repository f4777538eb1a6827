import Lockstep
import Testing

@Suite struct WaitTests {
  /// The waits of some markers, by seconds since a moment.
  private final class Clocked {
    private let start = ContinuousClock.now
    private var waits = Waits()

    func begin(_ marker: Marker, _ text: String, _ place: WaitingLine.Place = .terminal, at seconds: Double = 0) {
      waits.begin(ObjectIdentifier(marker), text, place, at: start + .seconds(seconds))
    }

    /// Whether its line must go from the terminal.
    func end(_ marker: Marker) -> Bool { waits.end(ObjectIdentifier(marker)) }

    func look(at seconds: Double) -> Waits.Sight? { waits.look(at: start + .seconds(seconds)) }

    func next(after seconds: Double) -> Double? {
      waits.next(after: start + .seconds(seconds)).map { ($0 - start) / .seconds(1) }
    }
  }

  private final class Marker {}

  private let outer = Marker()
  private let inner = Marker()
  private let waits = Clocked()

  @Test func `A line is drawn after two seconds, each second, and goes when the wait ends`() {
    #expect(waits.next(after: 0) == nil)
    waits.begin(outer, "reading mnist")
    #expect(waits.next(after: 0) == 2)
    #expect(waits.look(at: 1.999) == nil)
    #expect(waits.look(at: 2) == .draw("reading mnist … 2 s"))
    #expect(waits.look(at: 65) == .draw("reading mnist … 1 min 05 s"))
    #expect(waits.end(outer))
    #expect(waits.look(at: 66) == nil)
    // A second end, as after an error, changes nothing.
    #expect(!waits.end(outer))
  }

  @Test func `A short wait draws nothing that must go`() {
    waits.begin(outer, "reading mnist")
    #expect(waits.look(at: 1) == nil)
    #expect(!waits.end(outer))
  }

  @Test func `The innermost wait is shown, as soon as the outermost is long`() {
    waits.begin(outer, "starting")
    waits.begin(inner, "reading mnist", at: 1)
    #expect(waits.look(at: 2) == .draw("reading mnist … 1 s"))
    #expect(waits.end(inner))
    #expect(waits.look(at: 3) == .draw("starting … 3 s"))
  }

  @Test func `Waits may end in another order`() {
    waits.begin(outer, "one")
    waits.begin(inner, "other")
    #expect(!waits.end(outer))
    #expect(waits.look(at: 2) == .draw("other … 2 s"))
    #expect(waits.end(inner))
  }

  @Test(arguments: [WaitingLine.Place.output, .errors])
  func `A log has one line after ten seconds`(_ place: WaitingLine.Place) {
    waits.begin(outer, "reading mnist", place)
    #expect(waits.look(at: 9.999) == nil)
    #expect(waits.next(after: 0) == 10)
    #expect(waits.look(at: 11) == .print("reading mnist", place))
    #expect(waits.look(at: 30) == nil)
    #expect(waits.next(after: 30) == nil)
    #expect(!waits.end(outer))
  }

  @Test(arguments: [1, 2]) func `Observers are told what a run does between steps`(_ ranks: Int) throws {
    var run = try SmallRun()
    run.recipe.epochs = 2
    run.options.checkpointEvery = .epochs(1)
    let told = try ToldRun(run, ranks: ranks).activities
    #expect(
      told == [
        .restoring, nil, .evaluating(samples: 200), nil, .saving(step: 5), nil, .evaluating(samples: 200), nil,
        .saving(step: 10), nil,
      ])
    // Nothing is saved where there is no directory.
    run.options.directory = nil
    #expect(
      try ToldRun(run, ranks: ranks).activities.compactMap(\.self)
        == [.restoring, .evaluating(samples: 200), .evaluating(samples: 200)])
  }
}
