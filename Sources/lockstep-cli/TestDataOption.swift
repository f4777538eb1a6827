import ArgumentParser

/// The file of a table's test samples, the same in every command.
struct TestDataOption: ParsableArguments {
  @Option(help: "CSV: a file of its own for testing.")
  var testData: String?
}
