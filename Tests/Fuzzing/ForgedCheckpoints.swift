import Checkpoints
import FoundationEssentials
import Tensors

/// Checkpoints whose checksums are right and whose content is not a run's, each a function of its number, so that one that does harm
/// can be made again.
public struct ForgedCheckpoints {
  /// What a run may do with one that is not refused.
  public enum Kind: Sendable {
    /// It goes on.
    case state
    /// The weights are such that it may end at a step that is not finite.
    case values
  }

  private typealias Line = (key: String, value: String)

  private let tensors: [NamedTensor]
  private let metadata: [Line]
  private let globalBatch: Int
  private let steps: Int

  /// Made of the checkpoint `file`, of a run with epochs of `steps` steps.
  public init(_ file: borrowing CheckpointFile, globalBatch: Int, steps: Int) throws {
    tensors = file.file.header.tensors.map {
      NamedTensor(name: $0.name, shape: $0.shape, values: Buffer(count: $0.shape.count))
    }
    try file.read(into: tensors)
    metadata = file.file.header.metadata.filter { !$0.key.hasPrefix("sha256") }.map { ($0.key, $0.value) }
    self.globalBatch = globalBatch
    self.steps = steps
  }

  /// How many, as `LOCKSTEP_FUZZ_STATES` says, else `usual`.
  public static func count(usual: Int) -> Int {
    ProcessInfo.processInfo.environment["LOCKSTEP_FUZZ_STATES"].flatMap { Int($0) } ?? usual
  }

  /// Writes the checkpoint of this number to `path`.
  public func write(_ number: Int, to path: String) throws -> Kind {
    var random = Philox(seed: 8, purpose: .augmentation, stream: UInt64(number))
    var (tensors, lines, kind) = (tensors, metadata, Kind.state)
    if random.next(below: 2) == 0 { setState(&lines, &random) }
    for _ in 0..<random.next(below: 3) {
      switch random.next(below: 12) {
      case 0..<6: setNumber(&lines, &random)
      case 6: set(&lines, "epoch_loss", Self.oneOf(Self.losses, &random))
      case 7: lines.remove(at: Int(random.next(below: UInt32(lines.count))))
      case 8..<10: setRecipe(&lines, &random)
      case 10: changeTensors(&tensors, &random)
      default:
        kind = .values
        let values = Buffer(tensors[0].values.array)
        values[Int(random.next(below: UInt32(values.count)))] = Self.oneOf(
          [.nan, .infinity, .greatestFiniteMagnitude, -1e30, .leastNonzeroMagnitude], &random)
        tensors[0] = NamedTensor(name: tensors[0].name, shape: tensors[0].shape, values: values)
      }
    }
    try SafeTensors.write(tensors, metadata: lines, to: path)
    return kind
  }

  private static let counts = [
    "epoch", "sample_offset", "step", "seed", "epoch_correct", "epoch_samples", "epoch_skipped_steps",
  ]
  private static let oddities = [
    "", "-1", "+1", " 1", "01", "1.0", "1e3", "0x1", "\u{FF11}", "1\u{301}", "nan", "18446744073709551615",
    "18446744073709551616", "9223372036854775808", "-9223372036854775808", "1\n", "one",
    String(repeating: "9", count: 100_000),
  ]
  private static let losses = ["nan", "inf", "-1", "1e400", "1e-400", "0x1p3", "", "-0", "1.7976931348623157e308"]

  /// A state that can be, or almost.
  private func setState(_ lines: inout [Line], _ random: inout Philox) {
    let epoch = Int(random.next(below: 5))
    let taken = Int(random.next(below: UInt32(steps + 1)))
    let skipped = Int(random.next(below: 3))
    set(&lines, "epoch", "\(epoch)")
    set(&lines, "sample_offset", "\(taken * globalBatch)")
    set(&lines, "step", "\(epoch * steps + taken)")
    guard taken > 0, random.next(below: 2) == 0 else {
      lines.removeAll { $0.key.hasPrefix("epoch_") }
      return
    }
    set(&lines, "epoch_samples", "\(max(0, taken - skipped) * globalBatch)")
    set(&lines, "epoch_correct", "\(random.next(below: UInt32(globalBatch)))")
    set(&lines, "epoch_skipped_steps", "\(skipped)")
  }

  /// One number, small, large, or none.
  private func setNumber(_ lines: inout [Line], _ random: inout Philox) {
    let key = Self.oneOf(Self.counts, &random)
    let unit = key.contains("sample") ? globalBatch : 1
    let small = Int(random.next(below: 6))
    let old = lines.first { $0.key == key }.flatMap { Int($0.value) } ?? 0
    let value =
      switch random.next(below: 7) {
      case 0: "\(small * unit)"
      case 1: "\(Int.max - small)"
      case 2: "\(Int.max / steps - 3 + small)"
      case 3: "\(Int.max / unit * unit)"
      case 4: "\(old &+ (small - 3))"
      case 5: "\(UInt64(random.next()) << 32 | UInt64(random.next()))"
      default: Self.oneOf(Self.oddities, &random)
      }
    set(&lines, key, value)
  }

  private func setRecipe(_ lines: inout [Line], _ random: inout Philox) {
    let keys =
      lines.map(\.key).filter { $0.hasPrefix("recipe.") } + ["recipe.classes", "recipe.first_label", "recipe."]
    let key = Self.oneOf(keys, &random)
    if random.next(below: 4) == 0 {
      lines.removeAll { $0.key == key }
    } else {
      let values = [
        "1", "0", "10", "65537", "-2147483649", "mlp:1-1", "mlp:64-1000000-10", "binary:3", "mlp:", "keras-convnet",
      ]
      set(&lines, key, Self.oneOf(values + Self.oddities, &random))
    }
  }

  private func changeTensors(_ tensors: inout [NamedTensor], _ random: inout Philox) {
    let index = Int(random.next(below: UInt32(tensors.count)))
    let tensor = tensors[index]
    switch random.next(below: 5) {
    case 0: tensors.remove(at: index)
    case 1:
      tensors.append(
        NamedTensor(name: "\(tensor.name)\u{301}\(tensors.count)", shape: tensor.shape, values: tensor.values))
    case 2: tensors[index] = NamedTensor(name: "\(random.next())", shape: tensor.shape, values: tensor.values)
    case 3:
      tensors[index] = NamedTensor(name: tensor.name, shape: Shape([1] + tensor.shape.extents), values: tensor.values)
    default: tensors.swapAt(index, 0)
    }
  }

  private func set(_ lines: inout [Line], _ key: String, _ value: String) {
    if let index = lines.firstIndex(where: { $0.key == key }) {
      lines[index].value = value
    } else {
      lines.append((key, value))
    }
  }

  private static func oneOf<Element>(_ elements: [Element], _ random: inout Philox) -> Element {
    elements[Int(random.next(below: UInt32(elements.count)))]
  }
}
