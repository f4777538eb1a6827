import ArgumentParser
import FoundationEssentials
import Lockstep

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells what pictures show, with probabilities.",
    discussion: """
      A picture is a PNG or JPEG file of one digit, of any size, dark on light or light on dark; it is cut out, scaled and centred as MNIST's \
      are. A picture that cannot be read gets a line on standard error, and the others are told all the same. Below mpirun the pictures \
      are spread over the ranks.

      Examples: lockstep predict digit.png
                lockstep predict --run-dir runs/first --json scans/ more/7.jpg
      """)

  @Argument(help: "Files, directories of files, or - for standard input.")
  var files: [String]

  @Option(
    help: "A run directory, whose newest whole checkpoint is meant, or a checkpoint. (default: the newest in runs)")
  var runDir: String?

  @OptionGroup var best: BestOption

  @Flag(help: "Prints a line of JSON a picture: file, label, probability, and every class's probability.")
  var json = false

  @Flag(
    help: """
      Makes the probabilities the likeliest on the run's validation data first, by one temperature for all. The run must have been trained \
      with --validation.
      """)
  var calibrate = false

  @Option(help: "The data for --calibrate. (default: those that the run was trained on)")
  var data: String?

  @Option(help: "The shape of the network's input. (default: 28x28x1)")
  var input: String?

  @OptionGroup var strictness: StrictOption

  func validate() throws {
    if let input {
      try PictureFiles.checkInput(input)
    }
    guard data == nil || calibrate else { throw ValidationError("--data needs --calibrate") }
  }

  func run() throws {
    let world = try joinedWorld()
    try world.requireEqual([("calibrate", "\(calibrate)"), ("best", "\(best.best)"), ("input", input ?? "")])
    let shared = try PictureFiles.expand(files, on: world)
    let directory = try world.fromFirst(world.agree { world.rank == 0 ? try runDir ?? NewestRun.path() : "" })
    let checkpoint = try best.checkpoint(directory, strict: strictness.strict, on: world)
    let restored = try waiting(while: "reading the checkpoint") { try restore(checkpoint, world) }
    guard let loss = restored.network.loss as? any ClassLoss else {
      throw TrainingError(
        .usage,
        "\(directory): its model \(escaped(restored.network.model.name)) tells no classes apart; give a run of one that does"
      )
    }
    let temperature =
      try calibrate
      ? waiting(while: "calibrating on the validation data") { try self.temperature(restored, directory, world) } : 1
    if calibrate && world.rank == 0 {
      Terminal.complain("temperature \(fixed(temperature, 3)) fitted on the run's validation data")
    }
    // Standard input is rank 0's.
    let mine = shared.indices.filter {
      shared[$0] == PictureFiles.standardInput ? world.rank == 0 : $0 % world.size == world.rank
    }
    let texts = try waiting(
      while: shared.count == 1 ? "looking at the picture" : "looking at \(grouped(shared.count)) pictures"
    ) {
      let told = mine.map { place in
        // The other ranks may have fewer, and must see that this one moves on.
        world.entered(.evaluation, step: nil)
        return tell(shared[place], at: place, restored, loss, temperature: temperature)
      }
      return try world.gatherText(String(decoding: JSONEncoder().encode(told), as: UTF8.self))
    }
    let all = try texts.flatMap { try JSONDecoder().decode([PredictedPicture].self, from: Data($0.utf8)) }
    if world.rank == 0 { show(all.sorted { $0.place < $1.place }, shared, loss) }
    // Every rank leaves with the first fault's code; rank 0 has named them all.
    if let code = all.filter({ $0.fault != nil }).min(by: { $0.place < $1.place })?.code { World.leave(code: code) }
  }

  private func show(_ pictures: [PredictedPicture], _ files: [String], _ loss: any ClassLoss) {
    let names = (0..<loss.classes).map { loss.name(of: $0) }
    for picture in pictures {
      let file = files[picture.place]
      if let fault = picture.fault {
        Terminal.complain(fault)
      } else if json {
        print(picture.json(file, names))
      } else {
        print(singleLine("\(file): \(picture.text(names))"))
      }
    }
  }

  private func tell(
    _ file: String, at place: Int, _ restored: RestoredNetwork, _ loss: any ClassLoss, temperature: Double
  ) -> PredictedPicture {
    do {
      let shape = restored.network.model.input
      let values = try PictureFiles.digit(in: file, rows: shape[0], columns: shape[1])
      let examples = Examples(inputs: Buffer(values), labels: Buffer<Int32>(count: 1))
      let outputs = restored.network.outputs(examples, parameters: restored.parameters)
      let (scaled, probabilities) = (Buffer<Float>(count: outputs.count), Buffer<Float>(count: loss.classes))
      for index in 0..<outputs.count { scaled[index] = outputs[index] / Float(temperature) }
      loss.probabilities(scaled, into: probabilities)
      return PredictedPicture(place: place, probabilities: probabilities.array)
    } catch {
      let error = TrainingError(error)
      return PredictedPicture(place: place, fault: error.description, code: error.code.rawValue)
    }
  }

  /// The network of `checkpoint`, on a blank picture in the place of data.
  private func restore(_ checkpoint: String, _ world: any Communicator) throws -> RestoredNetwork {
    let recipe = try RestoredNetwork.recipe(of: checkpoint, strict: strictness.strict, communicator: world)
    let blank = try world.agree { try PictureFiles.blank(input, label: recipe.classes?.firstLabel) }
    return try RestoredNetwork(
      checkpoint, for: blank, strict: strictness.strict, program: lockstepVersion, communicator: world
    ) { Terminal.complain("warning: \($0)") }
  }

  /// The temperature that fits the run's validation data best, found by rank 0.
  private func temperature(_ restored: RestoredNetwork, _ directory: String, _ world: any Communicator) throws -> Double
  {
    let recipe = try RestoredNetwork.recipe(of: restored.path, strict: strictness.strict, communicator: world)
    let text = try world.agree { () -> String in
      guard world.rank == 0 else { return "" }
      guard let part = recipe["validation"].flatMap({ Float($0) }) else {
        throw TrainingError(
          .usage,
          "--calibrate: \(directory) was trained without \(Setting.validation); give a run that has data to calibrate on"
        )
      }
      var options = DataOptions()
      options.data = try data ?? RecordedRun(directory: directory)["data"] ?? options.data
      let parts: TrainingParts
      do {
        parts = try TrainingParts(
          of: options.load(.train), subset: recipe["subset"].flatMap { Int($0) }, validation: part,
          seed: restored.state.seed)
      } catch {
        throw TrainingError(error)
      }
      guard let validation = parts.validation else { return "" }
      let evaluation = Evaluation(network: restored.network, data: validation, communicator: world)
      return evaluation.temperature(restored.parameters).map { "\($0)" } ?? ""
    }
    return Double(try world.fromFirst(text)) ?? 1
  }
}
