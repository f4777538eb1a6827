import NeuralNetworks
import Tensors

/// The mistakes of an evaluation that the network is surest of, of all ranks' samples.
///
/// Which they are depends on the samples alone: the surer first, and of those alike the one with the smaller number.
package struct ConfidentMistakes {
  /// The most mistakes that are kept.
  static let most = 24
  /// The words of a mistake in a message.
  private static let wordCount = 4

  package private(set) var mistakes: [Mistake] = []

  package init() { mistakes.reserveCapacity(Self.most) }

  /// Takes in those of `predictions`.
  package mutating func look(at predictions: Predictions) {
    guard let classes = predictions.classes else { return }
    for (index, own) in classes.own.enumerated() where classes.predicted[index] != own {
      let probability = Float(classes.probability(of: classes.predicted[index], for: index))
      // A network that gives no number is sure of nothing.
      guard !probability.isNaN else { continue }
      keep(
        Mistake(
          sample: predictions.first + index, own: own, predicted: classes.predicted[index], probability: probability))
    }
  }

  /// All of them one after another, for a message.
  package var words: [UInt64] {
    mistakes.flatMap { [UInt64($0.sample), UInt64($0.own), UInt64($0.predicted), UInt64($0.probability.bitPattern)] }
  }

  /// Takes in another rank's ``words``.
  package mutating func add(_ words: ArraySlice<UInt64>) {
    precondition(words.count.isMultiple(of: Self.wordCount), "\(words.count) words of mistakes")
    for place in stride(from: words.startIndex, to: words.endIndex, by: Self.wordCount) {
      let probability = Float(bitPattern: UInt32(truncatingIfNeeded: words[place + 3]))
      keep(
        Mistake(
          sample: Int(words[place]), own: Int(words[place + 1]), predicted: Int(words[place + 2]),
          probability: probability))
    }
  }

  /// Puts `mistake` into its place, if it is one of the first.
  private mutating func keep(_ mistake: Mistake) {
    let place =
      mistakes.firstIndex { ($0.probability, mistake.sample) < (mistake.probability, $0.sample) } ?? mistakes.count
    guard place < Self.most else { return }
    if mistakes.count == Self.most { mistakes.removeLast() }
    mistakes.insert(mistake, at: place)
  }
}
