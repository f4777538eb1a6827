import Kernels
import Testing

/// What looks a gradient or the weights over without changing them.
@Suite struct InspectionTests {
  /// None, part of a vector, one, and several with a rest.
  static let counts = [0, 1, 15, 16, 17, 63, 64, 65, 130, 1000]

  @Test func aNonFiniteElementShowsInEveryPlace() {
    for count in Self.counts {
      let values = noise(count, seed: 3)
      #expect(allFinite(values))
      for place in 0..<count {
        let kept = values[place]
        for bad in [Float.nan, .infinity, -.infinity] {
          values[place] = bad
          #expect(!allFinite(values), "\(bad) at \(place) of \(count)")
        }
        values[place] = .greatestFiniteMagnitude
        #expect(allFinite(values))
        values[place] = kept
      }
    }
  }

  /// A sum that looks at its results is the plain sum, and finds what is not finite in either operand, or in neither.
  @Test func aSumFindsWhatIsNotFinite() {
    for count in Self.counts {
      let (left, right) = (noise(count, seed: 3), noise(count, seed: 4))
      let (plain, found) = (Buffer<Float>(count: count), Buffer<Float>(count: count))
      sum(left, right, into: plain)
      #expect(sumIsFinite(left, right, into: found))
      #expect(bits(found) == bits(plain))
      for place in 0..<count {
        let kept = (left[place], right[place])
        for bad: (Float, Float) in [
          (.nan, 0), (0, .infinity), (-.infinity, .infinity), (.greatestFiniteMagnitude, .greatestFiniteMagnitude),
        ] {
          (left[place], right[place]) = bad
          #expect(!sumIsFinite(left, right, into: found), "\(bad) at \(place) of \(count)")
        }
        (left[place], right[place]) = kept
      }
    }
  }

  @Test func theSumOfSquaresIsRightAndDoesNotOverflow() {
    for count in Self.counts {
      let values = noise(count, seed: 4)
      let expected = values.array.reduce(0) { $0 + Double($1) * Double($1) }
      #expect(abs(sumOfSquares(values) - expected) <= expected * 1e-13)
    }
    #expect(sumOfSquares(filled(20, with: .greatestFiniteMagnitude)).isFinite)
    #expect(sumOfSquares(filled(20, with: .infinity)) == .infinity)
  }

  @Test func aFingerprintTellsEveryBitAndEveryPlace() {
    for count in Self.counts {
      let values = noise(count, seed: 5)
      let print = fingerprint(values)
      #expect(print == fingerprint(Buffer(values.array)))
      for place in 0..<count {
        let kept = values[place]
        for bit in [0, 13, 31] {
          values[place] = Float(bitPattern: kept.bitPattern ^ (1 << UInt32(bit)))
          #expect(fingerprint(values) != print, "bit \(bit) of element \(place) of \(count)")
        }
        values[place] = kept
      }
      guard count >= 2 else { continue }
      // Two that change places, in one lane and in two.
      for other in [1, 16, 32] where other < count {
        let swapped = Buffer(values.array)
        (swapped[0], swapped[other]) = (swapped[other], swapped[0])
        #expect(fingerprint(swapped) != print)
      }
    }
  }
}
