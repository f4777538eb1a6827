import ArgumentParser
import Foundation
import Lockstep

struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows which pixels a network decides by, for pictures or test images.",
    discussion: """
      A picture is a PNG or JPEG file of one digit, which is cut out as predict does. Each method gives a map of the pixels, which is drawn over \
      the picture: red speaks for the class, blue against it. Beside it stand the areas below the class's probability while pixels are \
      deleted or inserted, the first of the map first, and the gap where attributions should add up to the score. Below mpirun the maps are \
      spread over the ranks, and are the same bits on any number of them.

      Examples: lockstep explain digit.png --output why.png
                lockstep explain --images 0-4 --methods all --run-dir runs/first --report
      """)

  @Argument(help: "Pictures: files, directories of files, or - for standard input.")
  var files: [String] = []

  @Option(help: "Test images, by their numbers from 0 on, such as 0,7,20-29.")
  var images: String?

  @Option(
    help: "A run directory, whose newest whole checkpoint is meant, or a checkpoint. (default: the newest in runs)")
  var runDir: String?

  @OptionGroup var best: BestOption

  @OptionGroup var explanation: ExplanationOptions

  @Option(help: "The data of --images. (default: those that the run was trained beside)")
  var data: String?

  @OptionGroup var labels: LabelOptions

  @Option(help: "The shape of the network's input, for pictures. (default: 28x28x1)")
  var input: String?

  @Option(help: "The PNG file: a row for each picture, the picture first and then its maps.")
  var output: String?

  @Option(help: ArgumentHelp("Writes pictures and maps as floats to \(MapsFile.forms).", valueName: "file"))
  var writeMaps: String?

  @Flag(help: "Writes the maps into the run directory, for its report: lockstep report shows them.")
  var report = false

  @Flag(help: "Prints a line of JSON a picture, with the maps.")
  var json = false

  @OptionGroup var strictness: StrictOption

  /// The most pictures of a run of the command.
  private static let mostPictures = 10_000

  func validate() throws {
    guard !files.isEmpty || images != nil else { throw ValidationError("give pictures, or test images by --images") }
    if let images { _ = try Self.numbers(images) }
    guard images != nil || data == nil else { throw ValidationError("--data needs --images") }
    guard images != nil || labels.labels == nil else { throw ValidationError("--labels needs --images") }
    guard images == nil || input == nil else {
      throw ValidationError("--input is that of the test images; leave it out beside --images")
    }
    if let input { try PictureFiles.checkInput(input) }
    if let writeMaps, MapsFile(writeMaps) == nil {
      throw ValidationError(
        "--write-maps \(escaped(writeMaps)) is none of the files that it writes; give \(MapsFile.forms)")
    }
  }

  /// The numbers in `text`, such as `0,7,20-29`, in its order.
  private static func numbers(_ text: String) throws -> [Int] {
    let fault = ValidationError("--images \(escaped(text)) is no list of numbers such as 0,7,20-29")
    var numbers: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: "-", omittingEmptySubsequences: false)
      let ends = words.compactMap { word in
        word.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(word) : nil
      }
      guard 1...2 ~= words.count, ends.count == words.count, ends[0] <= ends[ends.count - 1] else { throw fault }
      guard ends[ends.count - 1] - ends[0] < mostPictures, numbers.count <= mostPictures else {
        throw ValidationError("--images \(escaped(text)) are too many; give at most \(grouped(mostPictures))")
      }
      numbers += ends[0]...ends[ends.count - 1]
    }
    return numbers
  }

  func run() throws {
    let world = try joinedWorld()
    try world.requireEqual(
      explanation.facts + [("images", images ?? ""), ("best", "\(best.best)"), ("input", input ?? "")])
    let files = try PictureFiles.expand(files, on: world)
    let images = try images.map { try Self.numbers($0) } ?? []
    guard (1...Self.mostPictures).contains(files.count + images.count) else {
      throw TrainingError(
        .usage,
        "\(grouped(files.count + images.count)) pictures are too many; give at most \(grouped(Self.mostPictures))")
    }
    let directory = try world.fromFirst(world.agree { world.rank == 0 ? try runDir ?? NewestRun.path() : "" })
    if report { try world.agree { try requireRun(directory, pictures: files.count + images.count) } }
    let checkpoint = try best.checkpoint(directory, strict: strictness.strict, on: world)
    let data = try self.data(directory, checkpoint, images, world)
    let restored = try waiting(while: "reading the checkpoint") {
      try RestoredNetwork(
        checkpoint, for: data, strict: strictness.strict, program: lockstepVersion, communicator: world
      ) { Terminal.complain("warning: \($0)") }
    }
    let (network, methods, target) = try prepare(restored, world)
    let names = images.map { "test image \($0)" } + files
    let result = try waiting(
      while: names.count == 1 ? "explaining the picture" : "explaining \(grouped(names.count)) pictures"
    ) {
      try explain(names, images, files, data: restored.data, network, methods, target, world)
    }
    let explained = Explanations(result, names: names, methods: methods.map(\.name), network: network)
    try waiting(while: "writing the maps") {
      try world.agree {
        guard world.rank == 0 else { return }
        try write(explained, to: directory, step: restored.state.step)
      }
    }
    if world.rank == 0 {
      for fault in explained.faults { Terminal.complain(fault.line) }
      for picture in explained.pictures { print(json ? explained.json(picture) : explained.text(picture)) }
      let written = [output, writeMaps, report ? RecordedExplanations.path(in: directory) : nil].compactMap { $0 }
      if !json && !explained.pictures.isEmpty { for path in written { print(singleLine(path)) } }
    }
    if let code = explained.faults.first?.code { World.leave(code: code) }
  }

  /// Throws unless `directory` is a run's, whose report can show so many pictures.
  private func requireRun(_ directory: String, pictures: Int) throws {
    guard pictures <= RecordedExplanations.mostPictures else {
      throw TrainingError(
        .usage,
        "--report shows at most \(RecordedExplanations.mostPictures) pictures, not \(grouped(pictures)); give fewer")
    }
    var isDirectory = false
    guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), isDirectory else {
      throw TrainingError(.usage, "\(directory): --report needs a run directory, and this is none")
    }
  }

  /// The test images or, where none is asked for, a blank picture in their place.
  private func data(
    _ directory: String, _ checkpoint: String, _ images: [Int], _ world: any Communicator
  ) throws -> any Dataset {
    guard !images.isEmpty else {
      let recipe = try RestoredNetwork.recipe(of: checkpoint, strict: strictness.strict, communicator: world)
      return try world.agree { try PictureFiles.blank(input, label: recipe.classes?.firstLabel) }
    }
    let name = try world.fromFirst(data ?? (try? RecordedRun(directory: directory))?["data"] ?? "mnist")
    return try waiting(while: "reading \(name)") {
      try world.agree {
        var options = DataOptions()
        options.data = name
        let test = try labels.choose(options.load(.test))
        if let beyond = images.first(where: { $0 >= test.count }) {
          throw TrainingError(
            .usage, "--images: there is no test image \(beyond) in \(escaped(name)); there are 0 to \(test.count - 1)")
        }
        return test
      }
    }
  }

  private func prepare(
    _ restored: RestoredNetwork, _ world: any Communicator
  ) throws -> (network: ExplainedNetwork, methods: [any AttributionMethod], target: Int?) {
    try world.agree {
      let network: ExplainedNetwork
      do {
        network = try ExplainedNetwork(restored.network, parameters: restored.parameters, score: explanation.of)
      } catch {
        throw TrainingError(error)
      }
      let shape = network.model.input
      guard shape.rank == 3 else {
        throw TrainingError(
          .usage, "\(restored.path): takes samples of shape \(shape), and only images can be explained")
      }
      return (network, try explanation.attributionMethods(for: network), try explanation.targetClass(of: network.loss))
    }
  }

  /// The maps of all ranks, in the order of pictures and methods. A map is wholly one rank's.
  private func explain(
    _ names: [String], _ images: [Int], _ files: [String], data: any Dataset, _ network: ExplainedNetwork,
    _ methods: [any AttributionMethod], _ target: Int?, _ world: any Communicator
  ) throws -> [ExplainedPicture] {
    var mine: [ExplainedPicture] = []
    for unit in 0..<names.count * methods.count {
      let (picture, method) = (unit / methods.count, unit % methods.count)
      // Standard input is rank 0's, and read once.
      let isInput = picture >= images.count && files[picture - images.count] == PictureFiles.standardInput
      guard isInput ? world.rank == 0 : unit % world.size == world.rank else { continue }
      // The other ranks may have fewer, and must see that this one moves on.
      world.entered(.evaluation, step: nil)
      var result = ExplainedPicture(picture: picture, method: method)
      do {
        let pixels: Buffer<Float>
        if picture < images.count {
          pixels = Buffer(count: network.model.input.count)
          data.copyInputs(in: images[picture]..<images[picture] + 1, into: pixels)
          let label = Buffer<Int32>(count: 1)
          data.copyLabels(in: images[picture]..<images[picture] + 1, into: label)
          result.own = network.loss.classIndex(of: label[0])
        } else if let before = mine.first(where: { $0.picture == picture }), isInput {
          if let fault = before.fault {
            throw TrainingError(TrainingError.Code(rawValue: before.code) ?? .badData, fault)
          }
          pixels = Buffer(before.pixels.floats)
        } else {
          let shape = network.model.input
          pixels = Buffer(
            try PictureFiles.digit(in: files[picture - images.count], rows: shape[0], columns: shape[1]))
        }
        try explain(pixels, by: methods[method], target, in: network, into: &result)
      } catch {
        let error = TrainingError(error)
        (result.fault, result.code) = (error.description, error.code.rawValue)
      }
      mine.append(result)
    }
    let texts = try world.gatherText(String(decoding: JSONEncoder().encode(mine), as: UTF8.self))
    return try texts.flatMap { try JSONDecoder().decode([ExplainedPicture].self, from: Data($0.utf8)) }
      .sorted { ($0.picture, $0.method) < ($1.picture, $1.method) }
  }

  private func explain(
    _ pixels: Buffer<Float>, by method: any AttributionMethod, _ target: Int?, in network: ExplainedNetwork,
    into result: inout ExplainedPicture
  ) throws {
    let outputs = network.outputs(for: pixels)
    result.predicted = network.loss.predictedClass(outputs)
    let target = target ?? result.predicted
    let attribution = try method.attribution(of: pixels, target: target, in: network)
    let faithfulness = Faithfulness(
      attribution, of: pixels, target: target, in: network, baseline: explanation.baseline)
    result.target = target
    result.probabilities = Data(floats: Buffer(network.probabilities(for: pixels)))
    result.pixels = Data(floats: pixels)
    result.map = Data(floats: attribution.values)
    result.mapShape = attribution.shape.extents
    result.isSigned = attribution.isSigned
    result.score = network.score(of: target, for: pixels).bitPattern
    (result.deletion, result.insertion) = (faithfulness.deletion.bitPattern, faithfulness.insertion.bitPattern)
    result.gaps = attribution.completeness.map { [$0.gap.bitPattern, $0.relativeGap.bitPattern] }
  }

  private func write(_ explained: Explanations, to directory: String, step: Int) throws {
    // Of faulty pictures alone there is nothing to write.
    guard !explained.pictures.isEmpty else { return }
    do {
      if let output { try AtomicFile.write(explained.grid().png, to: output) }
      if let file = writeMaps.flatMap({ MapsFile($0) }) { try file.write(explained) }
      if report {
        try explained.recorded(step: step, score: explanation.of.rawValue, baseline: explanation.baseline)
          .write(in: directory)
      }
    } catch {
      throw TrainingError(error)
    }
  }
}
