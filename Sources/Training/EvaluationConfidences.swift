import Collectives
import Datasets
import NeuralNetworks
import Steps
import Tensors

extension Evaluation {
  /// How sure the network with the weights `parameters` is of each sample's own class, in the order of the data, on every rank; by all ranks
  /// together. Collective.
  ///
  /// - Parameter beforeSlice: called before each slice of this rank's, as by ``run(_:beforeSlice:)``.
  /// - Throws: ``TrainingError`` with 64 if the loss is over no classes, with 70 if a rank cannot be reached, or the error of `beforeSlice`.
  public func confidences(
    _ parameters: Buffer<Float>, beforeSlice: () throws -> Void = {}
  ) throws -> [SampleConfidence] {
    guard let loss = network.loss as? any ClassLoss else {
      throw TrainingError(.usage, "\(Setting.task) \(network.loss.name) has no classes that a network could be sure of")
    }
    var mine: [SampleConfidence] = []
    let slices = (data.count + Self.slice - 1) / Self.slice
    for slice in microbatches(of: slices, heldBy: communicator.rank, of: communicator.size) {
      communicator.entered(.evaluation, step: nil)
      try beforeSlice()
      let examples = feed.load(slice * Self.slice..<min((slice + 1) * Self.slice, data.count))
      let outputs = network.outputs(examples, parameters: parameters)
      for sample in 0..<examples.samples {
        mine.append(
          SampleConfidence(
            outputs[sample * loss.outputs..<(sample + 1) * loss.outputs],
            own: loss.classIndex(of: examples.labels[sample]), loss))
      }
    }
    return try communicating { try communicator.gather(words: mine.words) }.flatMap {
      [SampleConfidence](words: $0[...])
    }
  }
}
