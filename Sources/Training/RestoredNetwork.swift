import Checkpoints
import Collectives
import Datasets
import FoundationEssentials
import Kernels
import NeuralNetworks
import Tensors

/// A checkpoint's network with its weights, ready to be evaluated.
public struct RestoredNetwork {
  /// The network, planned for slices of ``Evaluation``.
  public let network: Network
  /// Its weights, or their averages if its run keeps some (``Recipe/ema``).
  public let parameters: Buffer<Float>
  /// The data that it was asked for, prepared as the checkpoint's recipe says: what it can be evaluated on.
  public let data: any Dataset
  /// The path of the checkpoint's file.
  public let path: String
  /// The place of its run.
  public let state: RunState
  /// Whether ``parameters`` are averages.
  public let isAveraged: Bool

  /// Gives every rank the weights of the checkpoint at `path`, or of the newest whole one if `path` is a run directory.
  /// Collective.
  ///
  /// Only rank 0 reads, because a run may save another checkpoint while ranks look, and one rank's copy may differ.
  ///
  /// - Parameters:
  ///   - data: the data as they come. Where the checkpoint's run was on pixels that were made black and white, or hidden, so are these
  ///     (``data``).
  ///   - strict: whether every checkpoint of the run directory must be whole.
  ///   - program: the program's version, which must be the same on every rank.
  ///   - layers: the types of layers that the checkpoint's model may have, if a file described it.
  ///   - warn: called on rank 0 with a line for every damaged checkpoint that is passed over.
  /// - Throws: ``TrainingError``: 64 if ranks have other arguments or data, 66 if there is no checkpoint, 65 if it is
  ///   damaged or does not fit `data`.
  public init(
    _ path: String, for data: any Dataset, strict: Bool = false, program: String, layers: LayerTable = .builtIn,
    communicator: any Communicator, warn: (String) -> Void
  ) throws {
    try communicator.agree { try prepareArithmetic() }
    try communicator.requireEqual([
      ("program", program), ("kernels", "\(KernelIdentity.current)"), ("test_data", data.digest.hex),
      ("strict", "\(strict)"), ("checkpoint", path),
    ])
    try communicator.requireEqualArithmetic()
    // The facts travel as text, the weights after them.
    let restored = try communicator.agree { () -> (facts: Facts, parameters: Buffer<Float>)? in
      guard communicator.rank == 0 else { return nil }
      return try Self.read(path, for: data, strict: strict, layers: layers, warn: warn)
    }
    let facts = try Facts(text: communicator.fromFirst(restored?.facts.text ?? ""))
    let (network, prepared) = try communicator.agree { () -> (Network, any Dataset) in
      let prepared = try facts.prepare(data)
      return (try facts.network(for: prepared, layers: layers), prepared)
    }
    let parameters = restored?.parameters ?? Buffer<Float>(count: network.layout.count)
    try communicating { try communicator.broadcast(parameters, from: 0) }
    self.network = network
    self.parameters = parameters
    self.data = prepared
    self.path = facts.path
    state = facts.state
    isAveraged = facts.isAveraged
  }

  /// The network of the checkpoint at `path`, or of the newest whole one if `path` is a run directory, to draw images from; and how large
  /// they are, [rows, columns, channels].
  ///
  /// - Parameters:
  ///   - layers: the types of layers that the checkpoint's model may have, if a file described it.
  ///   - warn: called with a line for every damaged checkpoint that is passed over.
  /// - Throws: ``TrainingError``: 66 if there is no checkpoint, 65 if it is damaged, 64 if its model cannot draw images.
  public static func generator(
    _ path: String, strict: Bool = false, layers: LayerTable = .builtIn, warn: (String) -> Void
  ) throws -> (generator: PixelGenerator, shape: Shape) {
    try prepareArithmetic()
    let file = try open(path, strict: strict, warn: warn)
    let facts = try Facts(file)
    guard let shape = try facts.pixels?.shape(in: facts.path) else {
      let fault = facts.hiding == nil ? "predicts no pixels" : "predicts hidden pixels alone, and draws no images"
      throw TrainingError(
        .usage,
        "\(facts.path): is of model \(escaped(facts.model)), which \(fault); give a checkpoint of one that predicts each pixel"
      )
    }
    let network = try facts.network(input: shape, targets: .input(count: shape.count), capacity: 1, layers: layers)
    let parameters = try weights(of: network, from: file)
    do { return (try PixelGenerator(network, parameters: parameters), shape) } catch { throw TrainingError(error) }
  }

  /// The weights of the checkpoint at `path`, or of the newest whole one if `path` is a run directory, to hand on without data.
  ///
  /// - Parameters:
  ///   - input: the shape of a sample; nil if it is to be found: that of the recipe's pixels or of MNIST's images, or a list that the first
  ///     dense layer fits.
  ///   - layers: the types of layers that the checkpoint's model may have, if a file described it.
  ///   - warn: called with a line for every damaged checkpoint that is passed over.
  /// - Throws: ``TrainingError``: 66 if there is no checkpoint, 65 if it is damaged, or if samples of this shape do not fit it.
  public static func weights(
    _ path: String, input: Shape? = nil, strict: Bool = false, layers: LayerTable = .builtIn, warn: (String) -> Void
  ) throws -> TrainedWeights {
    try prepareArithmetic()
    let file = try open(path, strict: strict, warn: warn)
    let facts = try Facts(file)
    let network = try facts.network(of: file, input: input, layers: layers)
    return TrainedWeights(
      network: network, parameters: try weights(of: network, from: file), path: facts.path, state: facts.state,
      isAveraged: facts.isAveraged)
  }

  /// The facts of a checkpoint that every rank needs before it can take its weights.
  private struct Facts: Codable {
    var path: String
    var model: String
    /// The layers of a model that its file described; nil of one whose name tells them.
    var layers: String?
    var task: String
    var classCount: Int
    var firstLabel: Int
    /// The lines of the loss' weights and smoothing; nil if there are none.
    var classWeights: String?
    var labelSmoothing: String?
    /// The precision of its products, where it is not single.
    var precision: String?
    /// How pixels were made black and white; nil where they were not.
    var pixels: Pixels?
    /// How patches were hidden; nil where none were.
    var hiding: Hiding?
    var state: RunState
    var isAveraged: Bool

    /// The lines of a recipe that ``BinarisedPixels`` gives it.
    struct Pixels: Codable {
      var text: String
      var pooling: Int
      var binarisation: String

      /// The images' shape, `[14, 14, 1]` in the recipe. Throws with 65 if it is none.
      func shape(in path: String) throws -> Shape {
        let extents = text.dropFirst().dropLast().split(separator: ", ").compactMap { Int($0) }
        // Any larger would be no image, and their product might not be a number.
        guard extents.count == 3, extents.allSatisfy({ (1...65_536).contains($0) }), "\(Shape(extents))" == text else {
          throw TrainingError(.badData, "\(path): the pixels of its recipe are no shape of an image: \(escaped(text))")
        }
        return Shape(extents)
      }
    }

    /// The lines of a recipe that ``HiddenPatches`` gives it.
    struct Hiding: Codable {
      var side: Int
      var seed: UInt64
    }

    init(_ file: borrowing CheckpointFile) throws {
      guard let model = file.recipe["model"], let task = file.recipe["task"] else { throw Self.incomplete(file.path) }
      guard let classes = file.recipe.classes else {
        throw TrainingError(.badData, "\(file.path): the classes and first_label of its recipe cannot be")
      }
      (self.path, self.model, self.task, self.state) = (file.path, model, task, file.state)
      layers = try Self.description(in: file)?.layersText
      (classCount, firstLabel) = (classes.count, classes.firstLabel)
      (classWeights, labelSmoothing) = (file.recipe["class_weights"], file.recipe["label_smoothing"])
      if let binarisation = file.recipe["binarisation"] {
        guard let text = file.recipe["pixels"], let pooling = file.recipe["pooling"].flatMap({ Int($0) }) else {
          throw Self.incomplete(file.path)
        }
        pixels = Pixels(text: text, pooling: pooling, binarisation: binarisation)
      }
      precision = file.recipe["precision"]
      if let side = file.recipe["hidden_patches"] {
        guard let side = Int(side), let seed = file.recipe["hiding_seed"].flatMap({ UInt64($0) }) else {
          throw Self.incomplete(file.path)
        }
        hiding = Hiding(side: side, seed: seed)
      }
      isAveraged = !Checkpoint.weightsPrefix(file.file.header).isEmpty
    }

    /// Reads ``text``.
    init(text: String) throws {
      do { self = try JSONDecoder().decode(Facts.self, from: Data(text.utf8)) } catch {
        throw TrainingError(.rankFailed, "rank 0 sent no readable facts of its checkpoint: \(error)")
      }
    }

    var text: String {
      get throws {
        do { return String(decoding: try JSONEncoder().encode(self), as: UTF8.self) } catch {
          throw TrainingError(.rankFailed, "\(path): its facts cannot be sent to the other ranks: \(error)")
        }
      }
    }

    /// `data` as the checkpoint's run prepared its own; data that are so already stay as they are. Throws with 65 if they cannot be.
    func prepare(_ data: any Dataset) throws -> any Dataset {
      guard !data.targets.isInput else { return data }
      do {
        if let hiding { return try HiddenPatches(of: data, side: hiding.side, seed: hiding.seed) }
        guard let pixels else { return data }
        guard let binarisation = Binarisation(pixels.binarisation) else { throw Self.incomplete(path) }
        return try BinarisedPixels(of: data, poolingBy: pixels.pooling, binarisation)
      } catch {
        throw TrainingError(error)
      }
    }

    /// The description of the checkpoint's model; nil if it has none, or only that of Swift. Throws with 65 if it is not
    /// JSON, before it is sent to other ranks.
    private static func description(in file: borrowing CheckpointFile) throws -> ModelDescription? {
      guard let text = file.recipe["layers"], text.hasPrefix("[") else { return nil }
      do { return try ModelDescription(name: "", layersText: text) } catch {
        throw TrainingError(.badData, "\(file.path): \(error)")
      }
    }

    func network(for data: any Dataset, layers table: LayerTable) throws -> Network {
      guard let classes = Classes(checking: classCount, firstLabel: firstLabel) else { throw Self.incomplete(path) }
      return try network(
        input: data.inputShape, targets: try Self.targets(of: data, among: classes), classNames: data.classNames,
        capacity: Evaluation.slice, layers: table)
    }

    /// The network for inputs of shape `input`.
    func network(
      input: Shape, targets: Targets, classNames: [String]? = nil, capacity: Int, layers table: LayerTable
    ) throws -> Network {
      guard let task = Objective(task), let precision = ProductPrecision(rawValue: precision ?? "fp32") else {
        throw Self.incomplete(path)
      }
      do {
        let loss = try loss(task, targets, input: input, classNames: classNames)
        let model =
          try layers.map {
            try ModelDescription(name: self.model, layersText: $0).model(
              input: input, outputs: loss.outputs, layers: table)
          } ?? Model.named(self.model, input: input, outputs: loss.outputs)
        return try Network(model, loss: loss, capacity: capacity, precision: precision)
      } catch {
        throw TrainingError(.badData, "\(path): \(error)")
      }
    }

    /// The network whose parameters `file` has, for samples of shape `input`, or of the first shape that fits it.
    func network(of file: borrowing CheckpointFile, input: Shape?, layers table: LayerTable) throws -> Network {
      let weights = file.file.header.tensors.filter { !$0.name.utf8.starts(with: Checkpoint.optimizerPrefix.utf8) }
      // A table's rows, whose number of columns the first weights tell.
      let row = weights.first { $0.name == "dense1.weights" && $0.shape.rank == 2 }.map { Shape([$0.shape[1]]) }
      let usual = try pixels?.shape(in: path) ?? [28, 28, hiding == nil ? 1 : 2]
      var fault: String?
      for shape in input.map({ [$0] }) ?? [usual, row].compactMap({ $0 }) {
        do {
          let network = try network(input: shape, targets: targets(for: shape, weights), capacity: 1, layers: table)
          let stray = network.layout.parameters.first { file.file.header.tensor(named: $0.name)?.shape != $0.shape }
          guard let stray else { return network }
          let found = file.file.header.tensor(named: stray.name).map { "is of shape \($0.shape)" } ?? "is missing"
          fault = fault ?? "\(stray.name) \(found) instead of \(stray.shape)"
        } catch {
          fault = fault ?? "\(error)".replacing("\(path): ", with: "")
        }
      }
      throw TrainingError(
        .badData,
        "\(path): does not fit model \(escaped(model)) on samples of shape \(input ?? usual): \(fault ?? ""); give "
          + "\(Setting.input), the shape of its samples")
    }

    /// Targets as the checkpoint's run had them, of which only the number matters here.
    private func targets(for input: Shape, _ weights: [TensorEntry]) -> Targets {
      if pixels != nil || hiding != nil { return .input(count: input.count) }
      if Objective(task) == .regress { return .values(count: weights.last.map { $0.shape.extents.first ?? 1 } ?? 1) }
      return .classes(Classes(checking: classCount, firstLabel: firstLabel) ?? .ten)
    }

    private func loss(
      _ task: Objective, _ targets: Targets, input: Shape, classNames: [String]?
    ) throws -> any Loss {
      let plain = try task.loss(targets, input: input, classNames: classNames)
      guard classWeights != nil || labelSmoothing != nil, let plain = plain as? any ClassLoss else { return plain }
      let weights = classWeights?.split(separator: ",", omittingEmptySubsequences: false).map { Float($0) ?? .nan }
      let smoothing = labelSmoothing.map { Float($0) ?? .nan } ?? 0
      let weighting = try ClassWeighting(weights: weights, smoothing: smoothing, classes: plain.classes)
      return try task.loss(targets, input: input, classNames: classNames, weighting)
    }

    /// The checkpoint's classes, or the data's real numbers. Throws with 65 if the data are faulty or have other
    /// classes.
    private static func targets(of data: any Dataset, among classes: Classes) throws -> Targets {
      do {
        try data.validate()
        if data.targets.valueCount != nil { return data.targets }
        try data.check(classes)
        return .classes(classes)
      } catch {
        throw TrainingError(.badData, "\(error)")
      }
    }

    private static func incomplete(_ path: String) -> TrainingError {
      TrainingError(.badData, "\(path): does not say which model and task it is of")
    }
  }

  /// The recipe of the checkpoint at `path`, or of the newest whole one if `path` is a run directory, on every rank.
  /// Collective. Throws as ``init(_:for:strict:program:layers:communicator:warn:)`` does.
  public static func recipe(
    of path: String, strict: Bool = false, communicator: any Communicator
  ) throws -> Fingerprint {
    let text = try communicator.agree { () -> String in
      guard communicator.rank == 0 else { return "" }
      let entries = try open(path, strict: strict, warn: { _ in }).recipe.entries
      return String(decoding: try JSONEncoder().encode(entries.map { [$0.key, $0.value] }), as: UTF8.self)
    }
    let shared = try communicator.fromFirst(text)
    var recipe = Fingerprint()
    for line in try JSONDecoder().decode([[String]].self, from: Data(shared.utf8)) where line.count == 2 {
      recipe[line[0]] = line[1]
    }
    return recipe
  }

  private static func read(
    _ path: String, for data: any Dataset, strict: Bool, layers: LayerTable, warn: (String) -> Void
  ) throws -> (facts: Facts, parameters: Buffer<Float>) {
    let file = try open(path, strict: strict, warn: warn)
    let facts = try Facts(file)
    return (facts, try weights(of: facts.network(for: facts.prepare(data), layers: layers), from: file))
  }

  /// The weights of `network` in `file`.
  private static func weights(of network: Network, from file: borrowing CheckpointFile) throws -> Buffer<Float> {
    let layout = network.layout
    // Checked before memory is taken for them: a file of kilobytes may name a network of gigabytes.
    try file.requireTensors(layout.parameters.map { ($0.name, $0.shape) })
    let parameters = Buffer<Float>(count: layout.count)
    let tensors = zip(layout.parameters, layout.ranges).map {
      NamedTensor(name: $0.name, shape: $0.shape, values: parameters[$1])
    }
    try file.read(into: tensors, ignoringPrefix: Checkpoint.optimizerPrefix)
    let prefix = Checkpoint.weightsPrefix(file.file.header)
    if !prefix.isEmpty {
      try file.requireTensors(layout.parameters.map { (prefix + $0.name, $0.shape) })
      do {
        for tensor in tensors { try file.file.read(prefix + tensor.name, shape: tensor.shape, into: tensor.values) }
      } catch {
        throw CheckpointError.file(error)
      }
    }
    return parameters
  }

  static func open(_ path: String, strict: Bool, warn: (String) -> Void) throws -> CheckpointFile {
    var isDirectory = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory else {
      return try CheckpointFile(path)
    }
    let store = CheckpointStore(directory: "\(path)/checkpoints")
    guard let newest = try store.newestWhole(strict: strict, onDamage: { warn($0.description) }) else {
      throw TrainingError(.missingInput, "\(path): no checkpoint there; give a run directory or a checkpoint file")
    }
    return newest
  }
}
