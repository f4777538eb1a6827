import Checkpoints
import NeuralNetworks
import Tensors

extension Model {
  /// The end of the name of a model's file.
  private static let fileSuffix = ".json"

  /// The model of `--model`: that of the file `name` if it ends with `.json` (docs/models.md), else the one called so.
  ///
  /// Throws ``ModelError`` if there is no such name, or it does not fit the data; ``TrainingError`` if the file is
  /// missing, with 66, or cannot be used, with 65.
  ///
  /// - Parameter table: the types of layers that the file may name.
  public static func load(
    _ name: String, input: Shape, outputs: Int, layers table: LayerTable = .builtIn
  ) throws -> Model {
    guard name.hasSuffix(fileSuffix) else { return try named(name, input: input, outputs: outputs) }
    return try reading(name) { try $0.model(input: input, outputs: outputs, layers: table) }
  }

  /// The task of the model of `--model` if it predicts pixels: that which the file `name` names, or which follows from the name. The data are
  /// prepared by it, before there is a model for them.
  ///
  /// Throws as ``load(_:input:outputs:layers:)``.
  public static func pixelTask(of name: String) throws -> PixelTask? {
    guard name.hasSuffix(fileSuffix) else { return PixelTask(modelNamed: name) }
    return try reading(name) { $0.task }
  }

  /// What `make` makes of the file at `name`.
  private static func reading<Result>(_ name: String, _ make: (ModelDescription) throws -> Result) throws -> Result {
    do {
      return try make(ModelDescription(fileBytes(name, limit: ModelDescription.mostBytes)))
    } catch let error as ModelDescriptionError {
      throw TrainingError(.badData, "\(name): \(error)")
    } catch {
      throw TrainingError(error)
    }
  }
}
