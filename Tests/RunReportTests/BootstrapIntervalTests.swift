import Foundation
import RunReport
import Testing

struct BootstrapIntervalTests {
  /// The accuracy's interval must be that of the normal approximation, p ± 1.96 √(p (1 − p) / n), which holds for many samples.
  @Test(arguments: [(950, 50), (9800, 200), (500, 500)]) func theAccuracyOfManySamples(right: Int, wrong: Int) {
    let intervals = BootstrapIntervals(confusion: [[right / 2, wrong / 2], [wrong / 2, right / 2]], replicates: 4000)
    let samples = Double(right + wrong)
    let part = Double(right) / samples
    let half = 1.96 * sqrt(part * (1 - part) / samples)
    #expect(abs(intervals.accuracy.lowerBound - (part - half)) < 0.12 * half)
    #expect(abs(intervals.accuracy.upperBound - (part + half)) < 0.12 * half)
  }

  @Test func recallIsOfTheClassAlone() {
    // 100 samples of class 0, of which 90 are right; none of class 1 is wrong.
    let intervals = BootstrapIntervals(confusion: [[90, 10], [0, 5000]], replicates: 4000)
    let half = 1.96 * sqrt(0.9 * 0.1 / 100)
    #expect(abs(intervals.classes[0].recall.lowerBound - (0.9 - half)) < 0.15 * half)
    #expect(intervals.classes[0].precision == 1...1)
    #expect(intervals.classes[1].recall == 1...1)
    #expect(intervals.classes[1].precision.lowerBound > 0.99)
  }

  @Test func followsFromTheMatrixAlone() {
    let matrix = [[7, 1, 0], [0, 12, 3], [2, 0, 40]]
    let (first, second) = (BootstrapIntervals(confusion: matrix), BootstrapIntervals(confusion: matrix))
    #expect(first.accuracy == second.accuracy)
    #expect(first.classes.map(\.f1) == second.classes.map(\.f1))
  }

  @Test func nothingHasAnInterval() {
    let none = BootstrapIntervals(confusion: [[0, 0], [0, 0]])
    #expect(none.accuracy == 0...0)
    #expect(none.classes.allSatisfy { $0.f1 == 0...0 })
    #expect(BootstrapIntervals(confusion: []).classes.isEmpty)
  }
}
