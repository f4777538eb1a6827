import ArgumentParser
import Lockstep

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes the report of a run again, or a page that compares several.",
    discussion: """
      train writes report.html into its run directory; this makes it anew, also of a run that is not finished. Pictures of mistakes, filters \
      and drawn images need the run's checkpoint and its test data.

      Examples: lockstep report runs/first
                lockstep report runs/first runs/second --output comparison.html
      """)

  @Argument(help: "Run directories, at most \(ComparisonPage.mostRuns).")
  var directories: [String]

  @Option(help: "The file. (default: report.html in the run directory; of several runs comparison.html)")
  var output: String?

  @Option(help: "The test data of a single run, for the pictures. (default: those that the run was trained beside)")
  var data: String?

  @OptionGroup var labels: LabelOptions

  @OptionGroup var strictness: StrictOption

  func validate() throws {
    guard directories.count <= ComparisonPage.mostRuns else {
      throw ValidationError(
        "\(directories.count) run directories are too many for a page; give at most \(ComparisonPage.mostRuns)")
    }
    guard directories.count == 1 || data == nil else { throw ValidationError("--data needs a single run directory") }
  }

  func run() throws {
    guard World.isFirst else { return }
    let path = output ?? (directories.count == 1 ? ReportFile.path(in: directories[0]) : "comparison.html")
    try waiting(while: "making the report") {
      let runs = try directories.map(RecordedRun.init(directory:))
      let page =
        try runs.count == 1 ? RunPage(runs[0], pictures: pictures(of: runs[0])).html : ComparisonPage(runs).html
      try ReportFile.write(page, to: path)
    }
    print(singleLine(path))
  }

  /// The pictures of `run`; nil, with a warning, if its checkpoint or its data are not there.
  private func pictures(of run: RecordedRun) throws -> RunPictures? {
    guard let name = data ?? run["data"], let summary = run.summary else { return nil }
    do {
      var options = DataOptions()
      options.data = name
      guard !options.isTable else { return nil }
      let test = try waiting(while: "reading \(name)") { try labels.choose(options.load(.test)) }
      let solo = SoloCommunicator()
      let restored = try waiting(while: "reading the checkpoint") {
        try RestoredNetwork(
          run.directory, for: test, strict: strictness.strict, program: lockstepVersion, communicator: solo
        ) { Terminal.complain("warning: \($0)") }
      }
      let result = try waiting(while: "evaluating on \(grouped(restored.data.count)) samples") {
        try Evaluation(network: restored.network, data: restored.data, communicator: solo).run(restored.parameters)
      }
      return RunPictures(
        of: FinishedRun(
          summary: summary, network: restored.network, parameters: restored.parameters, test: restored.data,
          mistakes: result.mistakes))
    } catch {
      Terminal.complain("warning: no pictures: \(TrainingError(error))")
      return nil
    }
  }
}
