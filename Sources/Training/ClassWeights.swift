import Datasets
import NeuralNetworks
import Tensors

/// The choice of the classes' weights in a loss: `--class-weights`.
public enum ClassWeights: Sendable, Hashable {
  /// The rarer a class is in the training data, the more it weighs (``ClassWeighting/balanced(_:)``).
  case balanced
  /// These weights, in the order of the classes.
  case each([Float])

  /// Reads `balanced` or numbers with commas between them; nil for anything else.
  public init?(_ text: String) {
    if text == "balanced" {
      self = .balanced
    } else {
      let words = text.split(separator: ",", omittingEmptySubsequences: false)
      let weights = words.compactMap { Float($0) }
      guard weights.count == words.count else { return nil }
      self = .each(weights)
    }
  }

  /// The weight of each class of `loss`, for a run on `training`.
  func weights(of training: any Dataset, over loss: any ClassLoss) -> [Float] {
    if case .each(let weights) = self { return weights }
    var counts = [Int](repeating: 0, count: loss.classes)
    training.forEachLabel { label, _ in counts[loss.classIndex(of: label)] += 1 }
    return ClassWeighting.balanced(counts)
  }
}
