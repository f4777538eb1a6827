import ArgumentParser
import Lockstep

/// The way from a CSV file to samples: the flags that `--data FILE.csv` takes beside.
struct TableOptions: ParsableArguments {
  @OptionGroup var test: TestDataOption

  @Option(help: "CSV: the part of the rows that is tested on. (default: 0.2 without --test-data)")
  var testFraction: Double?

  @Option(parsing: .unconditional, help: "CSV: what the choice of those rows follows from. (default: 0)")
  var splitSeed: UInt64?

  @Option(help: "CSV: the column of the targets. (default: the last)")
  var target: String?

  @Option(help: "CSV: a column that is left out; may be given several times.")
  var ignore: [String] = []

  @Option(help: "CSV: rows with missing values are left out (drop), or these filled (mean, median). (default: drop)")
  var missing: CSVOptions.MissingValues?

  @Option(help: "CSV: rows that repeat an earlier one: drop or keep. (default: drop)")
  var duplicates: CSVOptions.DuplicateRows?

  @Option(help: "CSV: the scale of numbers: none, min-max, standard. (default: min-max)")
  var normalise: CSVOptions.Normalisation?

  func validate() throws {
    guard testFraction == nil || test.testData == nil else {
      throw ValidationError("--test-fraction and --test-data exclude each other")
    }
    guard splitSeed == nil || test.testData == nil else {
      throw ValidationError("--split-seed and --test-data exclude each other: without a split there is no choice")
    }
    if let fault = options.fault { throw ValidationError(fault) }
  }

  /// A flag that was given; nil if none was.
  var given: String? {
    let flags: [(String, Bool)] = [
      ("--test-data", test.testData != nil), ("--test-fraction", testFraction != nil),
      ("--split-seed", splitSeed != nil), ("--target", target != nil), ("--ignore", !ignore.isEmpty),
      ("--missing", missing != nil), ("--duplicates", duplicates != nil), ("--normalise", normalise != nil),
    ]
    return flags.first(where: \.1)?.0
  }

  /// The values of the flags.
  var options: CSVOptions {
    var options = CSVOptions()
    options.target = target
    options.ignored = ignore
    options.missing = missing ?? options.missing
    options.duplicates = duplicates ?? options.duplicates
    options.normalisation = normalise ?? options.normalisation
    options.testFraction = testFraction
    options.splitSeed = splitSeed ?? options.splitSeed
    return options
  }
}
