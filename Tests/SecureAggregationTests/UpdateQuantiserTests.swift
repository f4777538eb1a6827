import SecureAggregation
import Tensors
import Testing

extension UpdateQuantiser {
  func quantised(_ update: [Float], samples: Int, client: Int) throws -> QuantisedUpdate {
    try quantised(Buffer(update), samples: samples, client: client)
  }
}

@Suite struct UpdateQuantiserTests {
  static let values: [Float] = [
    0, 1e-6, -1e-6, 0.5, -0.5, 3.14159, -2.71828, 7.9999, 13.3, -13.4, 100, -1e30, 1.0 / 3, 1e-3, -1e-3, 13.333334,
    0x1p-18, 1e-20,
  ]

  private func quantiser(round: Int, clients: [Int], count: Int = values.count, most: Int = 1000) throws
    -> UpdateQuantiser
  {
    UpdateQuantiser(
      try AggregationSetup(
        round: round, clients: clients, parameterCount: count, maximumWeight: most, roundingSeed: 0x0123_4567_89ab_cdef)
    )
  }

  /// Flower 1.42's own `quantize`, with its weights, and its `numpy.random.rand` replaced by our numbers:
  ///
  ///     def draws(round, client, n):              # philox as Salmon et al. have it, M = 0xffffffff
  ///         w = [x for b in range((n + 3) // 4) for x in philox([b, 61, client, round], [0x89abcdef, 0x01234567])]
  ///         return np.array([(x >> 8) / 2**24 for x in w[:n]])
  ///     np.random.rand = lambda *shape: draws(round, client, len(values)).reshape(shape)
  ///     q = round_(samples / 1000.0 * 4194304)
  ///     quantize([values.astype(np.float64) * (q / 4194304)], 8.0, 4194304)
  @Test func `Levels and weights are Flower's`() throws {
    let golden: [(round: Int, client: Int, samples: Int, weight: UInt32, levels: [UInt32])] = [
      (
        7, 5, 600, 2_516_582,
        [
          2_097_152, 2_097_152, 2_097_152, 2_175_795, 2_018_509, 2_591_281, 1_669_604, 3_355_427, 4_189_060, 0,
          4_194_304,
          0, 2_149_581, 2_097_309, 2_096_995, 4_194_304, 2_097_153, 2_097_152,
        ]
      ),
      (
        3, 40, 1, 4194,
        [
          2_097_152, 2_097_152, 2_097_152, 2_097_283, 2_097_021, 2_097_975, 2_096_439, 2_099_249, 2_100_638, 2_093_640,
          2_123_365, 0, 2_097_239, 2_097_153, 2_097_152, 2_100_647, 2_097_152, 2_097_152,
        ]
      ),
      (
        4_294_967_295, 4_294_967_295, 1000, 4_194_304,
        [
          2_097_152, 2_097_152, 2_097_151, 2_228_224, 1_966_080, 2_920_701, 1_384_571, 4_194_278, 4_194_304, 0,
          4_194_304,
          0, 2_184_534, 2_097_414, 2_096_890, 4_194_304, 2_097_153, 2_097_152,
        ]
      ),
    ]
    for (round, client, samples, weight, levels) in golden {
      let update = try quantiser(round: round, clients: [1, client]).quantised(
        Self.values, samples: samples, client: client)
      #expect(update.weight == weight)
      #expect(update.levels == levels)
    }
  }

  /// Likewise, of clients 2, 5 and 9 in round 7, summed, and turned back as `SecAggPlusWorkflow.unmask_stage` does:
  ///
  ///     v = dequantize([total], 8.0, 4194304)[0]; v += -(3 - 1) * 8.0; v *= 4194304 / sum_of_q
  @Test func `A sum is turned back into Flower's mean`() throws {
    let quantiser = try quantiser(round: 7, clients: [2, 5, 9])
    var sum = try quantiser.quantised(Self.values, samples: 600, client: 2)
    sum.add(try quantiser.quantised(Self.values, samples: 1000, client: 5))
    sum.add(try quantiser.quantised(Self.values, samples: 37, client: 9))
    let result = AggregatedUpdate(plain: sum, of: [2, 5, 9])
    #expect(result.weight == 6_866_075)
    #expect(
      result.levels == [
        6_291_456, 6_291_457, 6_291_456, 6_506_020, 6_076_891, 7_639_605, 5_124_961, 9_724_449, 10_609_518, 1_967_182,
        11_455_692, 0, 6_434_499, 6_291_884, 6_291_027, 10_615_084, 6_291_458, 6_291_456,
      ])
    let weighted = Buffer<Float>(count: Self.values.count)
    result.sum(into: weighted)
    #expect(weighted.array == result.levels.map { Float(Double(Int($0) - 3 << 21) / 0x1p18) })
    #expect(
      result.mean == [
        0.0, 2.330297775188228e-06, 0.0, 0.4999980330467224, -0.5000003576278687, 3.1415886878967285,
        -2.718280792236328, 7.99989652633667, 10.062370300292969, -10.0768461227417, 12.034208297729492,
        -14.660966873168945, 0.3333328068256378, 0.0009973675478249788, -0.0009996978333219886, 10.07534122467041,
        4.660595550376456e-06, 0.0,
      ])
  }

  @Test func `A level is off by less than one, and stays within the clip`() throws {
    var random = Philox(seed: 2, purpose: .augmentation, stream: 0)
    let values = (0..<20_000).map { _ in (random.nextUniform() - 0.5) * 24 }
    for samples in [1, 333, 1000] {
      let update = try quantiser(round: 1, clients: [1, 2], count: values.count).quantised(
        values, samples: samples, client: 2)
      let share = Double(update.weight) / 0x1p22
      #expect(abs(share - Double(samples) / 1000) <= 0x1p-23)
      for (value, level) in zip(values, update.levels) {
        let weighted = min(max(Double(value) * share, -8), 8)
        #expect(abs(Double(Int(level) - 1 << 21) / 0x1p18 - weighted) < 0x1p-18 && level <= 1 << 22)
      }
    }
  }

  /// The mean of 100,000 roundings of a value of 0.3 steps: its error's deviation is √(0.21 / 100,000) = 0.00145.
  @Test func `Rounding does not shift a value`() throws {
    let count = 100_000
    for value in [0.3, -0.3, 5.7, -2_000_000.4] {
      let update = try quantiser(round: 1, clients: [1, 2], count: count, most: 1).quantised(
        [Float](repeating: Float(value * 0x1p-18), count: count), samples: 1, client: 2)
      let mean = update.levels.reduce(0.0) { $0 + Double(Int($1) - 1 << 21) } / Double(count)
      #expect(abs(mean - Double(Float(value * 0x1p-18)) * 0x1p18) < 5 * 0.0016)
    }
  }

  @Test func `Clients, rounds and seeds round differently, and the same ones alike`() throws {
    let values = [Float](repeating: 0.4 * 0x1p-18, count: 400)
    func levels(round: Int, client: Int, seed: UInt64, others: [Int]) throws -> [UInt32] {
      let setup = try AggregationSetup(
        round: round, clients: [client] + others, parameterCount: 400, roundingSeed: seed)
      return try UpdateQuantiser(setup).quantised(values, samples: 1000, client: client).levels
    }
    let one = try levels(round: 1, client: 2, seed: 3, others: [5])
    #expect(one == (try levels(round: 1, client: 2, seed: 3, others: [0, 1, 9])))
    #expect(one != (try levels(round: 2, client: 2, seed: 3, others: [5])))
    #expect(one != (try levels(round: 1, client: 3, seed: 3, others: [5])))
    #expect(one != (try levels(round: 1, client: 2, seed: 4, others: [5])))
  }

  @Test func `An update that cannot be quantised is refused`() throws {
    let quantiser = try quantiser(round: 1, clients: [1, 2], count: 3)
    for (update, samples, line): ([Float], Int, String) in [
      ([1, .nan, 1], 5, "client 2 has an update whose value 1 is not finite"),
      ([1, 1, -.infinity], 5, "client 2 has an update whose value 2 is not finite"),
      ([1, 1], 5, "client 2 has an update of 2 values in the place of 3"),
      ([1, 1, 1], 0, "client 2 has a weight of 0; it must be from 1 to 1000"),
      ([1, 1, 1], 1001, "client 2 has a weight of 1001; it must be from 1 to 1000"),
    ] {
      #expect(throws: AggregationError.update(line)) {
        try quantiser.quantised(update, samples: samples, client: 2)
      }
    }
  }
}
