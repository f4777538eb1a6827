import Tensors

/// `Residual` → `ReLU` as one layer, which the planning pass puts in their place: the sum itself is never written.
struct ResidualReLU: LayerSpecification {
  private let residual: Residual
  var kind: String { residual.kind }

  init(_ residual: Residual) { self.residual = residual }

  func outputShape(for input: Shape) throws -> Shape { try residual.outputShape(for: input) }

  func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int {
    residual.trainingOperations(for: input, needsInputGradient: needsInputGradient)
  }

  func learntCount(for input: Shape) -> Double { residual.learntCount(for: input) }

  var usualMicrobatch: Int { residual.usualMicrobatch }

  func takesSeveralMicrobatches(for input: Shape) -> Bool { residual.takesSeveralMicrobatches(for: input) }

  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    try residual.makeLayer(
      input: input, capacity: capacity, needsInputGradient: needsInputGradient, rectifying: true)
  }
}
