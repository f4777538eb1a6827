import Kernels
import Tensors

/// Throws ``ModelError`` if `model`, planned for `capacity` samples, with `blocks` blocks of its parameters' size
/// beside, needs more memory than there is. It does so before any of it is taken, and before a count of it could
/// overflow.
///
/// It counts the outputs of the planned layers, their gradients, and the parameters: the least that the model can need.
func requireMemory(for model: Model, capacity: Int, blocks: Int) throws {
  let available = availableMemory
  var floats = 0.0
  func require(_ more: Double) throws {
    floats += more
    let bytes = floats * Double(MemoryLayout<Float>.stride)
    guard bytes <= Double(available) else {
      throw ModelError(
        "\(Setting.model) \(escaped(model.name)) on samples of shape \(model.input) needs at least \(megabytes(bytes)) of memory, and there are "
          + "\(megabytes(Double(available))); take a smaller model, smaller images or \(Setting.microbatch), or a machine with more"
      )
    }
  }
  // One sample first, because the planning pass itself multiplies extents.
  try require(elements(of: model.input))
  var shape = model.input
  for layer in try fusingNeighbours(of: model.layers, input: shape, needsInputGradient: false) {
    // It has no output of its own, but what follows sees its shape.
    let isDropped = layer is any RenamingSpecification
    try require(Double(blocks) * layer.learntCount(for: shape))
    shape = try layer.outputShape(for: shape)
    try require(isDropped ? 0 : 2 * Double(capacity) * elements(of: shape))
  }
}

/// The product of a shape's extents, as a `Double`, which does not overflow.
func elements(of shape: Shape) -> Double { shape.extents.reduce(1.0) { $0 * Double($1) } }
