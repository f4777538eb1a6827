import Datasets
import Digests
import NeuralNetworks
import Tensors
import Training

/// Training data of which some samples are canaries: made to be remembered, so that a model shows whether it was trained on them.
public struct CanaryData: WrappedDataset {
  /// What a canary is.
  public enum Kind: String, Sendable, CaseIterable, Codable {
    /// A sample of the data with a wrong label.
    case mislabelled
    /// Independent uniform numbers from 0 to 1 with a random label.
    case noise
  }

  public let base: any Dataset
  /// The canaries' numbers, in random order.
  public let canaries: [Int]
  /// What the canaries are.
  public let kind: Kind
  private let seed: UInt64
  private let isCanary: [Bool]
  private let labels: Buffer<Int32>

  /// `base` with `count` canaries, chosen by `seed`; their labels are wrong for `loss`. Throws ``TrainingError`` with 64 if the data have no
  /// classes or fewer samples.
  public init(of base: any Dataset, count: Int, _ kind: Kind, loss: any ClassLoss, seed: UInt64) throws {
    guard let range = base.targets.labelRange else {
      throw TrainingError(.usage, "canaries need classes, but the targets of \(base.name) are \(base.targets)")
    }
    guard 1...base.count ~= count else {
      throw TrainingError(.usage, "\(count) canaries are more than the \(base.count) samples of \(base.name)")
    }
    let all = Buffer<Int32>(count: base.count)
    base.copyLabels(in: 0..<base.count, into: all)
    var words = Philox(seed: seed, purpose: .canaryChoice, stream: 0)
    canaries = Array(words.permutation(of: base.count).prefix(count))
    words = Philox(seed: seed, purpose: .canaryChoice, stream: 1)
    var isCanary = [Bool](repeating: false, count: base.count)
    for sample in canaries {
      isCanary[sample] = true
      let own = loss.classIndex(of: all[sample])
      let labels = range.filter { kind == .noise || loss.classIndex(of: Int32($0)) != own }
      guard !labels.isEmpty else {
        throw TrainingError(.usage, "canaries need two classes or more, and all labels of \(base.name) are of one")
      }
      all[sample] = Int32(labels[Int(words.next(below: UInt32(labels.count)))])
    }
    (self.base, self.kind, self.seed, self.isCanary, labels) = (base, kind, seed, isCanary, all)
  }

  public var name: String { "\(base.name) with canaries" }

  /// The SHA-256 of the base's digest, the canaries and their labels.
  public var digest: SHA256Digest {
    var hasher = SHA256Hasher()
    hasher.update(Array("canaries in \(base.digest.hex): \(kind.rawValue) by \(seed), \(canaries)\n".utf8))
    labels.withBytes { hasher.update($0) }
    return hasher.finalize()
  }

  public func copyInputs(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>, noise: Noise?) {
    base.copyInputs(of: samples, into: destination, noise: noise)
    guard kind == .noise else { return }
    for (place, sample) in samples.enumerated() { overwrite(Int(sample), place, destination) }
  }

  public func copyInputs(in samples: Range<Int>, into destination: Buffer<Float>) {
    base.copyInputs(in: samples, into: destination)
    guard kind == .noise else { return }
    for sample in samples { overwrite(sample, sample - samples.lowerBound, destination) }
  }

  private func overwrite(_ sample: Int, _ place: Int, _ inputs: Buffer<Float>) {
    guard isCanary[sample] else { return }
    let size = inputShape.count
    var words = Philox(seed: seed, purpose: .canaryPixels, stream: UInt64(sample))
    for index in place * size..<(place + 1) * size { inputs[index] = words.nextUniform() }
  }

  public func copyLabels(of samples: ArraySlice<UInt32>, into destination: Buffer<Int32>) {
    for (place, sample) in samples.enumerated() { destination[place] = labels[Int(sample)] }
  }

  public func copyLabels(in samples: Range<Int>, into destination: Buffer<Int32>) {
    destination.copy(from: labels[samples])
  }

  public func augmented(by augmentation: Augmentation) throws -> any Dataset { try Augmented(of: self, augmentation) }
}
