import NeuralNetworks
import Tensors

/// A batch's loss, hits and samples as floats in the tree, and the control words: the number of ranks that make each
/// request.
///
/// Counts up to 2²⁴ are exact, and the loss has one order of addition. Every rank reads the same sums after the same
/// step, so ranks need no other agreement about requests.
package struct BatchSums {
  /// The floats of the sums: a cache line, of which six are used.
  package static let count = 16
  let values: Buffer<Float>

  /// Adds a microbatch's losses and its rank's requests, which come with one microbatch of a batch.
  func record(_ losses: LossSums, _ requests: RunRequests, _ accumulation: Accumulation) {
    if accumulation == .replace { values.fill(0) }
    values[0] += Float(losses.loss)
    values[1] += Float(losses.correct)
    values[2] += Float(losses.samples)
    if requests.contains(.stop) { values[3] += 1 }
    if requests.contains(.save) { values[4] += 1 }
    if requests.contains(.timeIsUp) { values[5] += 1 }
  }

  var losses: LossSums {
    LossSums(loss: Double(values[0]), correct: Int(values[1]), samples: Int(values[2]))
  }

  /// The requests of all ranks together.
  var requests: RunRequests {
    var requests: RunRequests = []
    if values[3] > 0 { requests.insert(.stop) }
    if values[4] > 0 { requests.insert(.save) }
    if values[5] > 0 { requests.insert(.timeIsUp) }
    return requests
  }
}
