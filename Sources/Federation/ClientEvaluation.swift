import Collectives
import Datasets
import NeuralNetworks
import Steps
import Tensors
import Training

/// The accuracy of one model on the data of each client, worked out by all ranks together. The figures are the same at any number of ranks.
struct ClientEvaluation {
  private let plan: FederatedPlan
  private let communicator: any Communicator

  /// An evaluation on the clients of `plan`.
  init(_ plan: FederatedPlan, communicator: any Communicator) {
    self.plan = plan
    self.communicator = communicator
  }

  /// The accuracies of the weights `parameters`, 0 to 1, in the order of the clients; nil if the loss has none. Collective.
  ///
  /// - Parameter willEvaluate: called before each slice of samples.
  func run(_ parameters: Buffer<Float>, willEvaluate: () throws -> Void = {}) throws -> [Double]? {
    guard plan.recipe.loss.countsCorrect else { return nil }
    var mine: [UInt64] = []
    for client in microbatches(of: plan.clients.count, heldBy: communicator.rank, of: communicator.size) {
      let data = plan.clients[client]
      let feed = Feed(data, capacity: Evaluation.slice)
      var sums = LossSums()
      for start in stride(from: 0, to: data.count, by: Evaluation.slice) {
        communicator.entered(.evaluation, step: nil)
        try willEvaluate()
        sums += plan.network.evaluate(
          feed.load(start..<min(start + Evaluation.slice, data.count)), parameters: parameters)
      }
      mine += [UInt64(sums.correct), UInt64(sums.samples)]
    }
    let words = try communicating { try communicator.gather(words: mine) }.flatMap { $0 }
    return stride(from: 0, to: words.count, by: 2).map { Double(words[$0]) / Double(words[$0 + 1]) }
  }
}
