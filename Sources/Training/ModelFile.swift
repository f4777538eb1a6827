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
    do {
      let text = try fileBytes(name, limit: ModelDescription.mostBytes)
      return try ModelDescription(text).model(input: input, outputs: outputs, layers: table)
    } catch let error as ModelDescriptionError {
      throw TrainingError(.badData, "\(name): \(error)")
    } catch {
      throw TrainingError(error)
    }
  }
}
