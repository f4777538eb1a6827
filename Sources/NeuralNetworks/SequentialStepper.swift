import Tensors

/// Layers one after another, position by position.
final class SequentialStepper: Stepper {
  /// One of the layers.
  struct Stage {
    let stepper: any Stepper
    /// The layout of its parameters, and where they begin.
    let layout: ParameterLayout
    let start: Int
    /// Its output of one position [samples, width].
    let output: Buffer<Float>
  }

  private let stages: [Stage]

  init(_ stages: [Stage]) { self.stages = stages }

  func step(_ input: Buffer<Float>, _ parameters: ParameterBlock, at position: Int, into output: Buffer<Float>) {
    var current = input
    // By their places, as in ``Sequential/forward(_:_:into:_:)``.
    for index in stages.indices {
      let next = index == stages.count - 1 ? output : stages[index].output
      let own = parameters.part(from: stages[index].start, stages[index].layout)
      stages[index].stepper.step(current, own, at: position, into: next)
      current = next
    }
  }
}
