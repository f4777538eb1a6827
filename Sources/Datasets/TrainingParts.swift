import Tensors

/// The samples of a data set that are trained on, and those set aside for validation.
///
/// One permutation of all samples follows from the seed. Its first `subset` are taken; the last of them, the part
/// `validation`, are set aside. Both parts keep the data set's order. So with one seed a smaller subset is a part of a
/// larger one, and every run of that seed is validated on the same samples.
public struct TrainingParts: Sendable {
  /// The samples that are trained on.
  public let training: any Dataset
  /// The samples set aside; nil if none are.
  public let validation: (any Dataset)?

  /// The parts of `whole`. Throws ``DatasetError`` if one of them would have no samples, or more than there are.
  ///
  /// - Parameters:
  ///   - subset: the number of samples that are used; nil for all.
  ///   - validation: the part of these that is set aside, between 0 and 1, rounded to whole samples; nil for none.
  public init(of whole: any Dataset, subset: Int?, validation: Float?, seed: UInt64) throws(DatasetError) {
    guard subset != nil || validation != nil else {
      (training, self.validation) = (whole, nil)
      return
    }
    let used = subset ?? whole.count
    guard 1...whole.count ~= used else {
      throw DatasetError(whole.name, .part("\(Setting.subset) \(used)", of: whole.count))
    }
    let part = validation ?? 0
    let heldOut = part >= 0 && part <= 1 ? Int((Double(part) * Double(used)).rounded()) : 0
    guard validation == nil || 1..<used ~= heldOut else {
      throw DatasetError(whole.name, .part("\(Setting.validation) \(part)", of: used))
    }
    var order = [UInt32](repeating: 0, count: whole.count)
    order.permute(by: Philox(seed: seed, purpose: .partition, stream: 0))
    training = try Subset(of: whole, indices: order[..<(used - heldOut)].sorted().lazy.map { Int($0) })
    if validation == nil {
      self.validation = nil
    } else {
      self.validation = try Subset(of: whole, indices: order[(used - heldOut)..<used].sorted().lazy.map { Int($0) })
    }
  }
}
