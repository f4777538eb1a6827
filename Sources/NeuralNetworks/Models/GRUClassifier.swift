import Tensors

/// The rows of an image as a sequence through a GRU of 128 units, whose last state is classified: 61,578 parameters on 28×28×1 with ten
/// outputs.
@Sendable
func gru(input: Shape, outputs: Int) -> [any LayerSpecification] {
  rowsAsSteps(of: input) + [GRU(128), Dense(outputs)]
}
