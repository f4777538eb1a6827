import ArgumentParser
import Lockstep

/// The use of the training data, and what becomes of the weights beside the optimizer's steps.
struct RegimeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Changes the images at random, as trained on: some of \(Augmentation.forms.joined(separator: ", ")).",
      valueName: "changes"))
  var augment: String?

  @Option(help: "Trains on this number of samples, chosen by the seed. (default: all)")
  var subset: Int?

  @Option(
    help: """
      Sets this part of the training samples aside, chosen by the seed. Epochs are evaluated on it, and the test data once, \
      at the end.
      """)
  var validation: Float?

  @Option(help: "Ends the run after this number of epochs without a smaller loss on the --validation data.")
  var earlyStopping: Int?

  @Flag(
    help: "Keeps the checkpoint of the epoch with the smallest loss on the --validation data: see evaluate's --best.")
  var saveBest = false

  @Option(
    help: ArgumentHelp(
      "Begins with the weights of a checkpoint or safetensors file, as far as names and shapes fit.", valueName: "file")
  )
  var initFrom: String?

  @Option(
    help: ArgumentHelp(
      "Leaves the parameters as they begin whose names fit: 'convolution*', or several with commas.",
      valueName: "patterns"))
  var freeze: String?

  @Option(help: "Evaluates averages of the weights that keep this part of themselves at each step, such as 0.999.")
  var ema: Float?

  @Option(
    help: """
      Scales the learning rate with the batch: by √(batch/\(RateScaling.usualBatch)) or linearly, batch/\
      \(RateScaling.usualBatch). See --warmup.
      """)
  var scaleLearningRate: RateScaling?

  func validate() throws {
    // No check of these values depends on the model or the loss.
    var recipe = Recipe(model: Model(name: "", input: [1], layers: []), loss: MeanSquaredError(outputs: 1))
    var options = RunOptions()
    do { try apply(to: &recipe, &options) } catch { throw ValidationError("\(error)") }
    if let fault = recipe.fault ?? options.fault(validation: validation) { throw ValidationError(fault) }
  }

  /// Sets the properties that these options give.
  func apply(to recipe: inout Recipe, _ options: inout RunOptions) throws {
    recipe.augmentation = try augment.map { try Augmentation($0) }
    recipe.subset = subset
    recipe.validation = validation
    recipe.initialWeights = initFrom
    recipe.frozen = freeze?.split(separator: ",", omittingEmptySubsequences: false).map { Glob(String($0)) } ?? []
    recipe.ema = ema
    recipe.rateScaling = scaleLearningRate
    options.earlyStopping = earlyStopping
    options.savesBest = saveBest
  }
}
