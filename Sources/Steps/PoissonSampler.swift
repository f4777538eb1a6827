import Datasets
import Privacy

/// Batches drawn anew at each step, each sample in with the same probability.
///
/// The samples of a batch are spread over its microbatches as evenly as can be, so that ranks have as much to do.
package struct PoissonSampler: Sampler {
  private let batches: BatchPlan
  private let samples: Int
  private let sampling: PoissonSampling

  /// Batches cut by `batches`, which `sampling` draws from `samples` samples.
  package init(batches: BatchPlan, samples: Int, sampling: PoissonSampling) {
    (self.batches, self.samples, self.sampling) = (batches, samples, sampling)
  }

  package func fill(_ order: inout [UInt32], epoch: Int) {
    let count = batches.microbatchesInFullBatch
    for step in 0..<batches.steps {
      let start = step * batches.globalBatch
      let drawn = sampling.batch(of: 0..<samples, step: UInt64(epoch * batches.steps + step + 1))
      precondition(drawn.count <= batches.globalBatch, "a batch of \(drawn.count): see PrivateTraining.room")
      for place in start..<start + batches.globalBatch { order[place] = EpochOrder.none }
      let (each, extra) = drawn.count.quotientAndRemainder(dividingBy: count)
      var next = 0
      for microbatch in 0..<count {
        for place in 0..<each + (microbatch < extra ? 1 : 0) {
          order[start + microbatch * batches.microbatch + place] = UInt32(drawn[next])
          next += 1
        }
      }
    }
  }
}
