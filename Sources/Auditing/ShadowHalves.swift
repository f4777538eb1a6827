import Tensors

/// The half of the samples that each model of a membership audit is trained on.
///
/// Model 0, the one that is audited, has a random half. Shadow models come in pairs that share the samples between them at random, so every
/// sample is in exactly half of the shadow models.
package struct ShadowHalves {
  /// Whether each model is trained on each sample: `isMember[model][sample]`.
  package let isMember: [[Bool]]

  /// The halves of `samples` samples for model 0 and an even number of shadow models.
  package init(samples: Int, shadows: Int, seed: UInt64) {
    precondition(shadows.isMultiple(of: 2), "\(shadows) shadow models are not pairs")
    func half(_ stream: Int) -> [Bool] {
      var isMember = [Bool](repeating: false, count: samples)
      let order = Philox(seed: seed, purpose: .shadowHalves, stream: UInt64(stream)).permutation(of: samples)
      for sample in order.prefix(samples / 2) { isMember[sample] = true }
      return isMember
    }
    var halves = [half(0)]
    for pair in 0..<shadows / 2 {
      let first = half(pair + 1)
      halves += [first, first.map { !$0 }]
    }
    isMember = halves
  }

  /// The numbers of the samples that a model is trained on.
  package func members(of model: Int) -> [Int] { isMember[model].indices.filter { isMember[model][$0] } }
}
