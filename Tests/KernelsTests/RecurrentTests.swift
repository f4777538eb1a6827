import Glibc
import Kernels
import Testing

/// A step of each recurrent layer against its formulas in Double, on whole vectors and off them. The gradients are under the layers' oracle.
@Suite struct RecurrentTests {
  private static let sizes = [(1, 1), (3, 7), (2, 8), (3, 16), (2, 21), (4, 33)]

  private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  @Test(arguments: sizes)
  func rnn(samples: Int, units: Int) {
    let (sums, bias) = (noise(samples * units, seed: 1), noise(units, seed: 2))
    let state = filled(samples * units)
    rnnForward(sums, bias: bias, state: state)
    #expect(distance(state, (0..<samples * units).map { tanh(Double(sums[$0]) + Double(bias[$0 % units])) }) < 3e-7)
  }

  @Test(arguments: sizes)
  func lstm(samples: Int, units: Int) {
    let (sums, bias) = (noise(4 * samples * units, seed: 1), noise(4 * units, seed: 2))
    let before = noise(samples * units, seed: 3)
    let gates = Buffer(sums.array)
    let (cell, state) = (filled(samples * units), filled(samples * units))
    lstmForward(gates, bias: bias, cellBefore: before, cell: cell, state: state)
    var (exactGates, cells, states) = (Array(repeating: 0.0, count: gates.count), [Double](), [Double]())
    for at in 0..<samples * units {
      let (row, u) = (at / units, at % units)
      let gate = (0..<4).map { gate in
        let sum = Double(sums[(4 * row + gate) * units + u]) + Double(bias[gate * units + u])
        exactGates[(4 * row + gate) * units + u] = gate == 2 ? tanh(sum) : sigmoid(sum)
        return exactGates[(4 * row + gate) * units + u]
      }
      cells.append(gate[1] * Double(before[at]) + gate[0] * gate[2])
      states.append(gate[3] * tanh(cells[at]))
    }
    #expect(distance(gates, exactGates) < 3e-7)
    #expect(distance(cell, cells) < 5e-7)
    #expect(distance(state, states) < 5e-7)
  }

  @Test(arguments: sizes)
  func gru(samples: Int, units: Int) {
    let (sums, bias) = (noise(3 * samples * units, seed: 1), noise(3 * units, seed: 2))
    let (stateSums, before) = (noise(3 * samples * units, seed: 3), noise(samples * units, seed: 4))
    let gates = Buffer(sums.array)
    let (candidateSums, state) = (filled(samples * units), filled(samples * units))
    gruForward(
      gates, bias: bias, stateSums: stateSums, candidateSums: candidateSums, stateBefore: before, state: state)
    let states = (0..<samples * units).map { at in
      let (row, u) = (at / units, at % units)
      func input(_ gate: Int) -> Double {
        Double(sums[(3 * row + gate) * units + u]) + Double(bias[gate * units + u])
      }
      func ofState(_ gate: Int) -> Double { Double(stateSums[(3 * row + gate) * units + u]) }
      let (r, z) = (sigmoid(input(0) + ofState(0)), sigmoid(input(1) + ofState(1)))
      return (1 - z) * tanh(input(2) + r * ofState(2)) + z * Double(before[at])
    }
    #expect(distance(state, states) < 5e-7)
    #expect(candidateSums.array == (0..<samples * units).map { stateSums[(3 * ($0 / units) + 2) * units + $0 % units] })
  }

  /// Units that are given the same have the same bits, in whole vectors and in the rest, forward and backward.
  @Test func anyPlaceMakesTheSameBits() {
    let (samples, units) = (2, 21)
    /// A value for each gate of each row, the same for all of its units.
    func rows(_ gates: Int, seed: UInt64) -> Buffer<Float> {
      let values = noise(samples * gates, seed: seed)
      return Buffer((0..<samples * gates * units).map { 2 * values[$0 / units] })
    }
    func bias(_ gates: Int) -> Buffer<Float> { rows(gates, seed: 9).prefix(gates * units) }
    func expectEqual(_ name: String, _ results: [Buffer<Float>]) {
      for (index, result) in results.enumerated() {
        let found = bits(result)
        #expect(found.indices.allSatisfy { found[$0] == found[$0 / units * units] }, "\(name), result \(index)")
        #expect(result.array.allSatisfy { $0.isFinite }, "\(name), result \(index)")
      }
    }
    let state = filled(samples * units)
    rnnForward(rows(1, seed: 1), bias: bias(1), state: state)
    expectEqual("rnn", [state])

    let (gates, cell, cellGradient) = (rows(4, seed: 2), filled(samples * units), rows(1, seed: 3))
    lstmForward(gates, bias: bias(4), cellBefore: rows(1, seed: 4), cell: cell, state: state)
    let sumsGradient = filled(gates.count)
    lstmBackward(
      gates, cellBefore: rows(1, seed: 4), cell: cell, stateGradient: rows(1, seed: 5), cellGradient: cellGradient,
      sumsGradient: sumsGradient, units: units)
    expectEqual("lstm", [gates, cell, state, cellGradient, sumsGradient])

    let (three, candidateSums, stateGradient) = (rows(3, seed: 6), filled(samples * units), rows(1, seed: 8))
    gruForward(
      three, bias: bias(3), stateSums: rows(3, seed: 7), candidateSums: candidateSums, stateBefore: rows(1, seed: 4),
      state: state)
    let (ofInput, ofState) = (filled(three.count), filled(three.count))
    gruBackward(
      three, candidateSums: candidateSums, stateBefore: rows(1, seed: 4), stateGradient: stateGradient,
      sumsGradient: ofInput, stateSumsGradient: ofState, units: units)
    expectEqual("gru", [three, candidateSums, state, stateGradient, ofInput, ofState])
  }

  @Test func axesSwap() {
    let values = Buffer<Float>((0..<24).map { Float($0) })
    let swapped = filled(24)
    swapAxes(values, into: swapped, outer: 3, inner: 4, width: 2)
    for i in 0..<3 {
      for j in 0..<4 {
        for k in 0..<2 { #expect(swapped[(j * 3 + i) * 2 + k] == values[(i * 4 + j) * 2 + k]) }
      }
    }
    let back = filled(24)
    swapAxes(swapped, into: back, outer: 4, inner: 3, width: 2)
    #expect(back.array == values.array)
  }
}
