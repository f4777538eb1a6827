import Glibc
import Privacy
import Testing

@Suite struct RDPAccountantTests {
  private func accountant(_ entries: [(Double, Double, Int)], orders: [Double]? = nil) throws -> RDPAccountant {
    var ledger = PrivacyLedger()
    for (rate, noise, steps) in entries {
      ledger.record(try SubsampledGaussian(sampleRate: rate, noiseMultiplier: noise), steps: steps)
    }
    return RDPAccountant(ledger, orders: orders ?? RDPAccountant.standardOrders)
  }

  /// TensorFlow Privacy's and Opacus' published points: ε to all digits that they print.
  @Test func publishedPoints() throws {
    let tensorFlow = try accountant([(0.01, 4, 10_000)], orders: (2...32).map(Double.init))
    let classic = try tensorFlow.epsilon(delta: 1e-5, conversion: .classic)
    #expect(abs(classic.epsilon - 1.258575) < 5e-7)
    #expect(classic.order == 20)
    #expect(abs(try tensorFlow.epsilon(delta: 1e-5).epsilon - 1.035490) < 5e-7)

    let sixty = try accountant([(150.0 / 60_000, 1.3, 6000)]).epsilon(delta: 1e-5)
    #expect(abs(sixty.epsilon - 0.7242234026) < 5e-11)
    #expect(sixty.order == 19)

    let mnist = try accountant([(256.0 / 60_000, 1.1, 14_062)])
    #expect(abs(try mnist.epsilon(delta: 1e-5, conversion: .classic).epsilon - 3.01) < 5e-3)
  }

  /// Opacus 1.6.0's `compute_rdp` and `get_privacy_spent`; classic is the least of `rdp + log(1 / delta) / (order - 1)`.
  @Test func asOpacus() throws {
    let mixed = [(0.01, 1.2, 500), (0.02, 0.9, 300), (0.001, 2, 4000)]
    let few = [(1e-5, 1.0, 10), (1e-4, 3.0, 4)]
    let golden: [([(Double, Double, Int)], Double, improved: (Double, Double), classic: (Double, Double))] = [
      ([(0.01, 4, 10_000)], 1e-5, (1.0354900660362476, 17), (1.2585747412527164, 20)),
      ([(0.01, 4, 10_000)], 1e-6, (1.169468923688794, 19), (1.3764945885877704, 21)),
      ([(0.0025, 1.3, 6000)], 1e-5, (0.7242234026109339, 19), (0.9418705671682341, 19)),
      ([(256.0 / 60_000, 1.1, 14_062)], 1e-5, (2.5965558689607486, 8.1), (3.008272082524604, 8.8)),
      (mixed, 1e-5, (3.4394685764299378, 5.1), (4.046183644464705, 5.2)),
      ([(1, 10, 30)], 1e-6, (2.6729520826585147, 9.8), (3.0291156831212787, 10.6)),
      (few, 1e-5, (0.33634406339259565, 23), (0.5233182903238454, 23)),
    ]
    for (entries, delta, improved, classic) in golden {
      for orders in [RDPAccountant.opacusOrders, RDPAccountant.standardOrders] {
        let accountant = try accountant(entries, orders: orders)
        for (conversion, expected) in [(RDPAccountant.Conversion.improved, improved), (.classic, classic)] {
          let found = try accountant.epsilon(delta: delta, conversion: conversion)
          #expect(abs(found.epsilon - expected.0) < 1e-9)
          #expect(found.order == expected.1)
        }
      }
    }
  }

  @Test func orders() {
    let opacus = RDPAccountant.opacusOrders
    #expect(opacus.count == 151)
    #expect(opacus.first == 1.1 && opacus[9] == 2 && opacus[98] == 10.9 && opacus[99] == 12 && opacus.last == 63)
    #expect(RDPAccountant.standardOrders.starts(with: opacus))
    #expect(RDPAccountant.standardOrders == RDPAccountant.standardOrders.sorted())
  }

  /// The larger orders help where there is little to account for.
  @Test func largeOrdersHelp() throws {
    let few = [(0.001, 4.0, 10)]
    let opacus = try accountant(few, orders: RDPAccountant.opacusOrders).epsilon(delta: 1e-5)
    let standard = try accountant(few).epsilon(delta: 1e-5)
    #expect(opacus.order == 63)
    #expect(standard.epsilon < opacus.epsilon / 2)
  }

  @Test func stepsCompose() throws {
    let (whole, parts) = (try accountant([(0.01, 1, 7)]), try accountant([(0.01, 1, 3), (0.02, 2, 1), (0.01, 1, 4)]))
    let other = try accountant([(0.02, 2, 1)])
    let (wholes, others, sums) = (whole.renyiDivergences, other.renyiDivergences, parts.renyiDivergences)
    for k in whole.orders.indices {
      #expect(abs(sums[k] - wholes[k] - others[k]) <= 1e-14 * sums[k])
      #expect(abs(wholes[k] - 7 * others[k]) > 1e-9)
    }
  }

  @Test func ledgerMergesEqualSteps() throws {
    let one = try SubsampledGaussian(sampleRate: 0.01, noiseMultiplier: 1)
    let two = try SubsampledGaussian(sampleRate: 0.01, noiseMultiplier: 2)
    var ledger = PrivacyLedger(one, steps: 2)
    ledger.record(one)
    ledger.record(two, steps: 0)
    ledger.record(one, steps: 4)
    ledger.record(two)
    ledger.record(one)
    #expect(ledger.entries.map(\.mechanism) == [one, two, one])
    #expect(ledger.entries.map(\.steps) == [7, 1, 1])
    #expect(ledger.steps == 9)
    // Resumed from its entries.
    var resumed = PrivacyLedger()
    for entry in ledger.entries { resumed.record(entry.mechanism, steps: entry.steps) }
    #expect(resumed == ledger)
    #expect(PrivacyLedger(one, steps: 0) == PrivacyLedger())
  }

  @Test func monotone() throws {
    func epsilon(_ rate: Double, _ noise: Double, _ steps: Int, _ delta: Double) throws -> Double {
      try accountant([(rate, noise, steps)]).epsilon(delta: delta).epsilon
    }
    let base = try epsilon(0.01, 1, 500, 1e-5)
    #expect(try epsilon(0.01, 1, 501, 1e-5) > base)
    #expect(try epsilon(0.0101, 1, 500, 1e-5) > base)
    #expect(try epsilon(0.01, 1.01, 500, 1e-5) < base)
    #expect(try epsilon(0.01, 1, 500, 1.1e-5) < base)
    #expect(try accountant([(0.01, 1, 500)]).epsilon(delta: 1e-5, conversion: .classic).epsilon > base)
  }

  @Test func edges() throws {
    for entries in [[], [(0.01, 1, 0)], [(0, 1, 100)], [(0, 0, 1)]] as [[(Double, Double, Int)]] {
      let found = try accountant(entries).epsilon(delta: 1e-5)
      #expect(found.epsilon == 0 && found.order == nil)
    }
    for entries in [[(0.01, 0, 1)], [(1, 0, 1)], [(0.01, 1, 5), (0.5, 0, 1)]] as [[(Double, Double, Int)]] {
      let found = try accountant(entries).epsilon(delta: 1e-5)
      #expect(found.epsilon == .infinity && found.order == nil)
    }
    // The formula gives less than 0, which says no more than 0.
    #expect(try accountant([(0.001, 100, 1)]).epsilon(delta: 0.5).epsilon == 0)
    for delta in [0, 1, -1e-5, 2, .nan, .infinity] {
      #expect(throws: PrivacyError.self) { try accountant([(0.01, 1, 5)]).epsilon(delta: delta) }
    }
  }
}
