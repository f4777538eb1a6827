import Tensors

/// Weights of classes and label smoothing, which change a cross-entropy over classes.
///
/// With probabilities p of K classes, weights w and smoothing ε, a sample of class y has the loss
///
///     (1 − ε) · w[y] · (−log p[y]) + ε/K · Σⱼ w[j] · (−log p[j])
///
/// That is PyTorch's `CrossEntropyLoss(weight=w, label_smoothing=ε, reduction="sum")`, which is summed over the samples
/// and then divided by their number, as Keras does with `class_weight`. (PyTorch's mean divides by the sum of w[y]
/// instead, which is another number in every batch. ``balanced(_:)`` weights have a mean of 1 over the training data.)
public struct ClassWeighting: Sendable, Hashable {
  /// w: the weight of each class, in the order of the classes; nil if all are 1.
  public let weights: [Float]?
  /// ε: the part of a sample's target that is spread over all classes, 0 to 1.
  public let smoothing: Float

  /// Σ w.
  private let weightSum: Float

  /// nil if this changes nothing, so that the loss is computed as without it.
  ///
  /// Throws ``ModelError`` unless there is a weight for each of `classes` classes, each at least 0 and one above it, and
  /// `smoothing` is from 0 to 1.
  public init?(weights: [Float]? = nil, smoothing: Float = 0, classes: Int) throws {
    guard smoothing >= 0, smoothing <= 1 else {
      throw ModelError("\(Setting.labelSmoothing) \(smoothing) is not from 0 to 1")
    }
    if let weights {
      guard weights.count == classes else {
        throw ModelError("\(Setting.classWeights) has \(weights.count) weights; the task has \(classes) classes")
      }
      if let wrong = weights.first(where: { !($0 >= 0 && $0.isFinite) }) {
        throw ModelError("\(Setting.classWeights) has \(wrong); give each class a weight of 0 or more")
      }
      guard weights.contains(where: { $0 > 0 }) else {
        throw ModelError("\(Setting.classWeights) are all 0: nothing would be learnt")
      }
    }
    if weights == nil && smoothing == 0 { return nil }
    self.weights = weights
    self.smoothing = smoothing
    weightSum = weights?.reduce(0, +) ?? Float(classes)
  }

  /// The weights of classes that occur so often: n / (k · count), where n is the sum of the counts and k the number of
  /// classes that occur; 1 for a class that does not. scikit-learn's `balanced`.
  public static func balanced(_ counts: [Int]) -> [Float] {
    let samples = Double(counts.reduce(0, +))
    let occurring = Double(counts.count { $0 > 0 })
    return counts.map { $0 == 0 ? 1 : Float(samples / (occurring * Double($0))) }
  }

  /// The weights and the smoothing as ``Loss/settings`` has them.
  public var settings: [(key: String, value: String)] {
    var settings: [(key: String, value: String)] = []
    if let weights { settings.append(("class_weights", weights.map { "\($0)" }.joined(separator: ","))) }
    if smoothing > 0 { settings.append(("label_smoothing", "\(smoothing)")) }
    return settings
  }

  /// The weight of a class.
  func weight(_ index: Int) -> Float { weights?[index] ?? 1 }

  /// The factor of −log p[j] in the loss of a sample of class `own`: the j-th element of its target, weighted.
  func factor(_ index: Int, own: Int, of classes: Int) -> Float {
    let spread = smoothing / Float(classes) * weight(index)
    return index == own ? (1 - smoothing) * weight(own) + spread : spread
  }

  /// The sum of all factors of a sample of class `own`.
  func factorSum(own: Int, of classes: Int) -> Float {
    (1 - smoothing) * weight(own) + smoothing / Float(classes) * weightSum
  }
}
