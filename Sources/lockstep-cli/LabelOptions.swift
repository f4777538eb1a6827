import ArgumentParser
import Lockstep

/// The option that chooses samples by their labels, the same for training and evaluation.
struct LabelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Takes the samples with these labels alone, K or K-L; the classes are then K to L.", valueName: "labels"))
  var labels: String?

  func validate() throws { _ = try range() }

  /// Throws if they are asked for of a table.
  func check(_ data: DataOptions) throws {
    guard labels == nil || !data.isTable else {
      throw ValidationError("--labels needs images; leave the rows of other classes out of the table")
    }
  }

  /// The samples of `data` that are asked for. Throws with 65 if there are none.
  func choose(_ data: any Dataset) throws -> any Dataset {
    guard let range = try range() else { return data }
    do { return try Subset(of: data, labels: range) } catch { throw TrainingError(error) }
  }

  /// The labels that are asked for; nil for all.
  private func range() throws -> ClosedRange<Int>? {
    guard let labels else { return nil }
    let words = labels.split(separator: "-", omittingEmptySubsequences: false)
    let numbers = words.compactMap { word in
      word.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int32(word).map { Int($0) } : nil
    }
    guard 1...2 ~= words.count, numbers.count == words.count, numbers[0] <= numbers[numbers.count - 1] else {
      throw ValidationError(
        "--labels \(escaped(labels)) is not a label, or two with a hyphen and the smaller first, as in 0-4")
    }
    return numbers[0]...numbers[numbers.count - 1]
  }
}
