import Tensors

/// What is wrong where one of `constants`, a moment's decay, is not from 0 to below 1.
func faultOfDecays(_ constants: [(name: String, value: Float)]) -> String? {
  constants.first { !($0.value >= 0 && $0.value < 1) }.map { "\($0.name) \($0.value) is not from 0 to below 1" }
}

/// What is wrong with a weight decay.
func fault(ofWeightDecay value: Float) -> String? {
  value >= 0 && value.isFinite ? nil : "\(Setting.weightDecay) \(value) is not a number from 0 on"
}

/// The lines of `constants` whose value is not the usual one.
func unusual<Value: Equatable>(
  _ constants: [(key: String, value: Value, usual: Value)]
) -> [(key: String, value: String)] {
  constants.filter { $0.value != $0.usual }.map { ($0.key, "\($0.value)") }
}
