import Datasets
import Digests
import Tensors
import Training

/// Several data sets one behind the other: the data of clients that each have their own (``ClientPartition/given``).
public struct JoinedDataset: Dataset {
  /// The data sets.
  public let parts: [any Dataset]
  /// The samples of each part, by their numbers in the whole.
  public let ranges: [Range<Int>]

  public let count: Int
  public let inputShape: Shape
  public let targets: Targets

  /// Of each sample, its part and its number there.
  private let places: [UInt32]
  private let numbers: [UInt32]

  /// The samples of `parts`, in this order. Throws ``TrainingError`` with 65 if there are none, if one is faulty, or if their inputs or targets
  /// are not of one kind.
  public init(_ parts: [any Dataset]) throws {
    guard let first = parts.first else { throw TrainingError(.badData, "there are no data sets to join") }
    var ranges: [Range<Int>] = []
    var (places, numbers): ([UInt32], [UInt32]) = ([], [])
    var labels = first.targets.labelRange
    for (index, part) in parts.enumerated() {
      do { try part.validate() } catch { throw TrainingError(error) }
      guard part.inputShape == first.inputShape else {
        throw TrainingError(
          .badData,
          "\(part.name) has inputs of shape \(part.inputShape), but \(first.name) of \(first.inputShape); clients need data of one shape"
        )
      }
      guard part.targets.valueCount == first.targets.valueCount && part.targets.isInput == first.targets.isInput else {
        throw TrainingError(
          .badData, "the targets of \(part.name) are \(part.targets), but those of \(first.name) are \(first.targets)")
      }
      if let range = part.targets.labelRange, let sofar = labels {
        labels = min(range.lowerBound, sofar.lowerBound)...max(range.upperBound, sofar.upperBound)
      }
      ranges.append(places.count..<places.count + part.count)
      guard places.count + part.count <= Int(UInt32.max) else {
        throw TrainingError(.badData, "the clients have more samples together than fit into one data set")
      }
      places += [UInt32](repeating: UInt32(index), count: part.count)
      numbers += Array(UInt32(0)..<UInt32(part.count))
    }
    (self.parts, self.ranges, self.places, self.numbers) = (parts, ranges, places, numbers)
    (count, inputShape) = (places.count, first.inputShape)
    let classes = parts.map(\.targets)
    targets = classes.allSatisfy { $0 == classes[0] } ? classes[0] : labels.map { .labels($0) } ?? first.targets
  }

  public var name: String { "the data of \(parts.count) clients" }

  public var classNames: [String]? { parts[0].classNames }

  public var preparation: [(key: String, value: String)] { parts[0].preparation }

  /// The SHA-256 of the parts' digests.
  public var digest: SHA256Digest {
    SHA256Digest(of: Array(("joined\n" + parts.map(\.digest.hex).joined(separator: "\n")).utf8))
  }

  public func copyInputs(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>, noise: Noise?) {
    let size = inputShape.count
    for (place, sample) in samples.enumerated() {
      part(of: sample).copyInputs(
        of: number(of: sample), into: destination[place * size..<(place + 1) * size], noise: noise?.advanced(by: place))
    }
  }

  public func copyLabels(of samples: ArraySlice<UInt32>, into destination: Buffer<Int32>) {
    for (place, sample) in samples.enumerated() {
      part(of: sample).copyLabels(of: number(of: sample), into: destination[place..<place + 1])
    }
  }

  public func copyValues(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>) {
    let size = targets.valueCount ?? 0
    for (place, sample) in samples.enumerated() {
      part(of: sample).copyValues(of: number(of: sample), into: destination[place * size..<(place + 1) * size])
    }
  }

  private func part(of sample: UInt32) -> any Dataset { parts[Int(places[Int(sample)])] }

  private func number(of sample: UInt32) -> ArraySlice<UInt32> { numbers[Int(sample)...Int(sample)] }
}
