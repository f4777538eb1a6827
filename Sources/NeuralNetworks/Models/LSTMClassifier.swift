import Tensors

/// The rows of an image as a sequence through an LSTM of 128 units, whose last state is classified: 81,674 parameters on 28×28×1 with ten
/// outputs.
@Sendable
func lstm(input: Shape, outputs: Int) -> [any LayerSpecification] {
  rowsAsSteps(of: input) + [LSTM(128), Dense(outputs)]
}
