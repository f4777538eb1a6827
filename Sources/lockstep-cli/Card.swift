import ArgumentParser
import Lockstep

/// `lockstep card`: what others should know of a model before they use it.
struct Card: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a model card: what a run's model is, how well it does, and what to mind.",
    discussion: """
      The card is Markdown with the sections of Mitchell et al. 2019 and the header that Hugging Face's hub reads. It tells the recipe, the \
      data's digests, the figures of each class and group, the privacy spent, the time and the energy. What only you know, say by flags.

      Example: lockstep card runs/first --use "Reading digits of forms that were scanned." --license apache-2.0
      """)

  @Argument(help: "The run's directory.")
  var directory: String

  @Option(help: "The file. (default: card.md in the run directory)")
  var output: String?

  @Option(help: "The uses that the model is meant for.")
  var use: String?

  @Option(help: "Those whom it is meant for.")
  var users: String?

  @Option(help: "The uses that it is not meant for.")
  var misuse: String?

  @Option(help: "The licence's identifier, such as apache-2.0.")
  var license: String?

  @Option(help: "Who answers for the model.")
  var contact: String?

  @OptionGroup var strictness: StrictOption

  func run() throws {
    guard World.isFirst else { return }
    var statements = ModelCard.Statements()
    (statements.use, statements.users, statements.misuse) = (use, users, misuse)
    (statements.license, statements.contact) = (license, contact)
    let run = try RecordedRun(directory: directory)
    let path = output ?? "\(directory)/card.md"
    try waiting(while: "writing the card") {
      let card = try ModelCard(run, statements, digests: try digests())
      try ReportFile.write(try card.markdown, to: path)
    }
    print(singleLine(path))
  }

  /// The digests of the data that the newest checkpoint was trained on and tested on; nil without a checkpoint.
  private func digests() throws -> (training: String, test: String)? {
    do {
      let store = CheckpointStore(directory: "\(directory)/checkpoints")
      guard let checkpoint = try store.newestWhole(strict: strictness.strict) else { return nil }
      guard let training = checkpoint.recipe["training_data"], let test = checkpoint.recipe["test_data"] else {
        return nil
      }
      return (training, test)
    } catch {
      throw TrainingError(error)
    }
  }
}
