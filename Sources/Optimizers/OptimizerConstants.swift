import Tensors

/// The fault of the first of `constants`, decays of moments, that is not from 0 to below 1; nil if there is none.
func faultOfDecays(_ constants: [(name: String, value: Float)]) -> String? {
  constants.first { !($0.value >= 0 && $0.value < 1) }.map { "\($0.name) \($0.value) is not from 0 to below 1" }
}

/// The fault of a weight decay; nil if it has none.
func fault(ofWeightDecay value: Float) -> String? {
  value >= 0 && value.isFinite ? nil : "\(Setting.weightDecay) \(value) is not a number from 0 on"
}

/// The recipe's lines for the `constants` that do not have their usual values.
func unusual<Value: Equatable>(
  _ constants: [(key: String, value: Value, usual: Value)]
) -> [(key: String, value: String)] {
  constants.filter { $0.value != $0.usual }.map { ($0.key, "\($0.value)") }
}
