// An observer and a metric of one's own: a line of CSV an epoch, with how often the right class is among the two likeliest.
import Lockstep

/// The part of the samples whose class has one of the two largest outputs.
struct TopTwo: Metric {
  // The hits and the samples: integers, so that their sum is the same in any order.
  var counterCount: Int { 2 }

  func count(_ predictions: Predictions, into counters: inout [Int]) {
    guard let classes = predictions.classes else { return }
    for (sample, own) in classes.own.enumerated() {
      let probabilities = (0..<classes.count).map { classes.probabilities[sample * classes.count + $0] }
      if probabilities.count(where: { $0 > probabilities[own] }) < 2 { counters[0] += 1 }
      counters[1] += 1
    }
  }

  func scores(_ counters: [Int]) -> [Score] { [Score("top_two", Double(counters[0]) / Double(counters[1]))] }
}

/// Prints CSV. Only rank 0's is called.
final class CSV: Observer {
  func began(_ run: RunDescription) { print("epoch,loss,test_loss,test_accuracy,top_two") }

  func endedEpoch(_ report: EpochReport) {
    let topTwo = report.testScores.first { $0.name == "top_two" }?.value ?? .nan
    print(
      "\(report.training.epoch),\(report.training.loss),\(report.testLoss),\(report.testAccuracy ?? .nan),\(topTwo)")
  }

  func ended(_ summary: TrainingSummary) { print("weights digest: \(summary.weightsDigest)") }
}

World.run { communicator in
  let directory = try ImageDataset.directory(named: "mnist")
  // The first tenth of each part.
  let training = try Subset(of: ImageDataset.load(directory: directory, part: .train), indices: 0..<6000)
  let test = try Subset(of: ImageDataset.load(directory: directory, part: .test), indices: 0..<1000)
  let model = try Model.named("article", input: training.inputShape, outputs: 10)
  var recipe = Recipe(model: model, loss: SoftmaxCrossEntropy(classes: 10))
  recipe.epochs = 3
  var options = RunOptions()
  options.metrics = [TopTwo()]
  try Trainer(recipe, training: training, test: test, options: options, on: communicator, observers: [CSV()]).run()
}
