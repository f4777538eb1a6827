import NeuralNetworks
import Optimizers
import Tensors

/// One parameter of `count` elements.
func layout(_ count: Int, role: ParameterRole = .weight) -> ParameterLayout {
  ParameterLayout([ParameterSpecification(name: "θ", shape: [count], initialiser: .zeros, role: role)])
}

/// Optimizers with every state and way to decay.
let optimizers: [any OptimizerSpecification] = [
  Adam(learningRate: 0.01), AdamW(learningRate: 0.01, weightDecay: 0.1), SGD(), SGD(momentum: 0.9),
  SGD(momentum: 0.9, isNesterov: true), SGD(weightDecay: 0.1), SGD(momentum: 0.9, weightDecay: 0.1, isNesterov: true),
]
