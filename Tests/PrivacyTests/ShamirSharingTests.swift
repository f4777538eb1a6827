import Glibc
import Privacy
import Statistics
import Testing

@Suite struct ShamirSharingTests {
  @Test func `Any three of five shares give the secret, and two do not`() {
    let secret = [UInt8](100..<132)
    let points: [UInt32] = [1, 2, 5, 77, 1023]
    let shares = ShamirSharing.shares(of: secret, threshold: 3, points: points, key: [UInt8](1...32))
    for subset in 0..<32 {
      let chosen = points.indices.filter { subset >> $0 & 1 == 1 }
      let found = ShamirSharing.secret(points: chosen.map { points[$0] }, shares: chosen.map { shares[$0] })
      #expect((found == secret) == (chosen.count >= 3), "\(chosen)")
    }
  }

  @Test func `Shares of big integers' polynomials give their secret`() {
    // A program in Python: c = [word of the secret] + [randrange(2**61 - 1) for _ in range(2)], and a share at x is
    // sum(a * x**i for i, a in enumerate(c)) % (2**61 - 1), for each of the eight words of bytes(range(1, 33)).
    let golden: [UInt32: ShamirSharing.Share] = [
      1: .init(
        1_667_271_393_944_853_832, 899_274_969_649_178_791, 429_928_179_415_694_985, 871_725_661_743_638_492,
        1_712_154_703_161_537_928, 595_188_628_890_376_960, 2_183_093_167_831_628_094, 214_314_525_494_076_045),
      2: .init(
        1_630_168_764_352_032_548, 1_678_893_005_888_277_828, 1_346_848_261_205_619_388, 1_601_560_548_848_075_006,
        2_002_729_968_086_389_606, 1_379_335_945_331_474_644, 1_585_960_275_216_492_997, 1_498_180_499_490_619_271),
      4: .init(
        1_054_527_453_182_670_489, 573_315_269_326_576_752, 29_978_114_086_918_717, 329_714_990_733_914_428,
        624_985_193_450_110_550, 1_208_663_632_864_636_728, 1_274_388_346_915_323_637, 357_037_766_966_756_124),
      7: .init(
        1_243_318_365_683_022_624, 1_476_286_178_739_053_067, 1_707_112_162_730_963_773, 816_530_359_609_865_350,
        578_658_797_921_817_789, 1_216_923_819_219_184_546, 707_922_087_572_627_731, 902_352_012_957_057_161),
    ]
    for points: [UInt32] in [[1, 2, 4], [7, 4, 1], [2, 7, 1], [1, 2, 4, 7]] {
      #expect(ShamirSharing.secret(points: points, shares: points.compactMap { golden[$0] }) == [UInt8](1...32))
    }
  }

  @Test func `A changed share is seen`() {
    let points: [UInt32] = [1, 2, 3]
    var shares = ShamirSharing.shares(of: [UInt8](1...32), threshold: 3, points: points, key: [UInt8](4...35))
    // A change by less would give another word below 2³²: what sees that is the commitment to the secret.
    shares[1][3] ^= 1 << 50
    #expect(ShamirSharing.secret(points: points, shares: shares) == nil)
    shares[1][3] = .max
    #expect(ShamirSharing.secret(points: points, shares: shares) == nil)
  }

  /// Two of three shares that are needed, under 4,096 keys, for secrets that differ in every bit: the upper four bits of each number of a share are
  /// spread evenly, those of both shares together too, and so is what a wrong guess of the third makes of them.
  @Test func `Fewer shares than are needed are uniform whatever the secret`() {
    for secret in [[UInt8](repeating: 0, count: 32), [UInt8](repeating: 255, count: 32)] {
      var (singles, pairs) = ([Int](repeating: 0, count: 16), [Int](repeating: 0, count: 256))
      for number in 0..<4096 {
        var key = [UInt8](repeating: 7, count: 32)
        (key[0], key[1]) = (UInt8(number & 255), UInt8(number >> 8))
        let shares = ShamirSharing.shares(of: secret, threshold: 3, points: [1, 2], key: key)
        for word in 0..<8 {
          singles[Int(shares[0][word] >> 57)] += 1
          pairs[Int(shares[0][word] >> 57) << 4 | Int(shares[1][word] >> 57)] += 1
        }
      }
      #expect(isUniform(singles))
      #expect(isUniform(pairs))
    }
  }
}
