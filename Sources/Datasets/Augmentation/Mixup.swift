import Tensors

/// Mixing of pairs of samples (Zhang et al. 2017): `x = λ·xᵢ + (1 − λ)·xⱼ`, with the same mixture of their classes as the target, λ of
/// Beta(α, α).
///
/// It changes targets as well, so it is no ``Transformation`` and no data set can do it: the run mixes what its data set gives, after all
/// other changes. The partner j is any sample of the training part, all equally likely; the paper draws it from the batch, which ranks
/// would have to send one another.
public struct Mixup: Sendable, Hashable, CustomStringConvertible {
  /// α: the larger, the more even are the mixtures.
  public var alpha: Float

  /// The paper's for ImageNet: in half of the pairs one sample has more than 0.97.
  public static let usualAlpha: Float = 0.2

  /// Mixing with this α.
  public init(alpha: Float = Self.usualAlpha) { self.alpha = alpha }

  /// The text that `--augment` takes. The bits follow from it.
  public var description: String { "mixup:\(alpha)" }

  /// The fault of its constant; nil if it has none.
  public var fault: String? {
    alpha > 0 && alpha <= 1000 ? nil : "mixup:\(alpha) is not a number above 0, up to 1000"
  }

  /// The partner and the share λ of the sample at `place` of a pass with this noise, of `count` samples in all.
  public func draw(_ noise: Noise, place: Int, of count: Int) -> (partner: UInt32, share: Float) {
    var words = noise.words(forSample: place, .mixing)
    let partner = words.next(below: UInt32(count))
    return (partner, Float(SymmetricBeta(alpha: Double(alpha)).draw(from: &words)))
  }
}
