import Checkpoints
import Datasets

extension Fingerprint {
  /// The classes of the run: ten from 0 on if the fingerprint does not say; nil if it says something impossible.
  package var classes: Classes? {
    get {
      let lines = [(self["classes"], Classes.ten.count), (self["first_label"], Classes.ten.firstLabel)]
      let numbers = lines.compactMap { text, usual in text.map { Int($0) } ?? usual }
      return numbers.count == 2 ? Classes(checking: numbers[0], firstLabel: numbers[1]) : nil
    }
    set {
      self["classes"] = newValue.flatMap { $0.count == Classes.ten.count ? nil : "\($0.count)" }
      self["first_label"] = newValue.flatMap { $0.firstLabel == Classes.ten.firstLabel ? nil : "\($0.firstLabel)" }
    }
  }
}
