import FoundationEssentials
import Tensors

/// Damaged copies of valid files, each a function of the seed and its number, so that one that does harm can be made again.
///
/// `LOCKSTEP_FUZZ_INPUTS` says how many (3,000 by default), `LOCKSTEP_FUZZ_SECONDS` when to stop earlier.
public struct Mutants {
  private static let environment = ProcessInfo.processInfo.environment
  private let seed: UInt64

  /// The mutants of `seed`.
  public init(seed: UInt64) { self.seed = seed }

  /// Calls `body` with each mutant's number, its bytes, and the index of the file that it was made of.
  public func forEach(of files: [[UInt8]], _ body: (Int, [UInt8], Int) throws -> Void) rethrows {
    let count = Self.environment["LOCKSTEP_FUZZ_INPUTS"].flatMap { Int($0) } ?? 3000
    let seconds = Self.environment["LOCKSTEP_FUZZ_SECONDS"].flatMap { Int($0) } ?? 600
    let end = ContinuousClock.now + .seconds(seconds)
    var number = 0
    while number < count && (number % 1000 != 0 || .now < end) {
      var random = Philox(seed: seed, purpose: .augmentation, stream: UInt64(number))
      let index = Int(random.next(below: UInt32(files.count)))
      var mutant = files[index]
      for _ in 0...random.next(below: 2) { Self.mutate(&mutant, &random) }
      try body(number, mutant, index)
      number += 1
    }
    print("seed \(seed): \(number) mutants of \(files.count) files")
  }

  /// Whether this mutant gets what damage by chance would not, such as a checksum that fits again: every second one.
  public static func isHelped(_ number: Int) -> Bool { number % 2 == 1 }

  /// One to three bytes changed, or a piece left out, doubled, put in, or all after it cut off.
  private static func mutate(_ bytes: inout [UInt8], _ random: inout Philox) {
    guard !bytes.isEmpty else { return }
    let position = Int(random.next(below: UInt32(bytes.count)))
    let end = min(bytes.count, position + 1 + Int(random.next(below: 8)))
    switch random.next(below: 8) {
    case 0: bytes.removeSubrange(position..<end)
    case 1: bytes.insert(contentsOf: bytes[position..<end], at: position)
    case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: position)
    case 3: bytes.removeSubrange(position...)
    case 4:
      // Digits and brackets that stand for one another keep a text a text.
      let alphabet = Array("0123456789,:[]{}\"\\eu-".utf8)
      bytes[position] = alphabet[Int(random.next(below: UInt32(alphabet.count)))]
    default:
      for _ in 0...random.next(below: 3) {
        // Half of the changes in the first bytes, where most of what can go wrong does.
        let limit = random.next(below: 2) == 0 ? min(16, bytes.count) : bytes.count
        bytes[Int(random.next(below: UInt32(limit)))] = UInt8(truncatingIfNeeded: random.next())
      }
    }
  }
}
