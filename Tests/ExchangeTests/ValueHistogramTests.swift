import Exchange
import Tensors
import Testing

struct ValueHistogramTests {
  @Test func numbersFallIntoBucketsOfOneWidth() throws {
    let histogram = try #require(ValueHistogram(Buffer([0, 0.5, 1, 1.5, 2, 4, -4, .nan, .infinity]), buckets: 4))
    #expect((histogram.least, histogram.greatest, histogram.count) == (-4, 4, 7))
    #expect((histogram.sum, histogram.sumOfSquares) == (5, 39.5))
    #expect(histogram.limits == [-2, 0, 2, 4])
    #expect(histogram.counts == [1, 0, 4, 2])
  }

  @Test func oneNumberHasOneBucket() throws {
    let histogram = try #require(ValueHistogram(Buffer([3, 3, 3])))
    #expect((histogram.limits, histogram.counts) == ([3], [3]))
  }

  /// 3.4e38 and its negative are further apart than a float can say.
  @Test func theGreatestFloatsHaveTheirPlaces() throws {
    let most = Float.greatestFiniteMagnitude
    let histogram = try #require(ValueHistogram(Buffer([-most, most, 0, .leastNonzeroMagnitude])))
    #expect(histogram.counts.reduce(0, +) == 4)
    #expect((histogram.counts.first, histogram.counts.last) == (1, 1))
    let narrow = try #require(ValueHistogram(Buffer([1, 1.0000001])))
    #expect(narrow.counts.reduce(0, +) == 2 && narrow.counts.count == 30)
  }

  @Test func withoutNumbersThereIsNone() {
    #expect(ValueHistogram(Buffer(count: 0)) == nil)
    #expect(ValueHistogram(Buffer([.nan, -.infinity])) == nil)
  }
}
