import Tensors

// The draws of audits, keyed by the recipe's seed and independent of the ranks.
extension Philox.Purpose {
  /// Which half of the samples a model is trained on; the stream is the pair of models.
  static var shadowHalves: Philox.Purpose { Philox.Purpose(rawValue: 52) }
  /// Which samples are canaries, and their labels.
  static var canaryChoice: Philox.Purpose { Philox.Purpose(rawValue: 53) }
  /// The coins that say which canaries are trained on.
  static var canaryCoins: Philox.Purpose { Philox.Purpose(rawValue: 54) }
  /// The pixels of a canary; the stream is the sample's number.
  static var canaryPixels: Philox.Purpose { Philox.Purpose(rawValue: 55) }
}
