import ArgumentParser
import Foundation
import Lockstep

/// The files of pictures that a command is given: files, directories, or `-` for standard input.
enum PictureFiles {
  /// The word for standard input.
  static let standardInput = "-"

  /// The endings of the names that are taken from a directory.
  private static let endings = [".png", ".jpg", ".jpeg"]

  /// The files that rank 0 finds by `arguments`, on every rank. Collective. Throws as ``expand(_:)`` does.
  static func expand(_ arguments: [String], on world: any Communicator) throws -> [String] {
    let files = try world.agree { world.rank == 0 ? try expand(arguments) : [] }
    let text = try world.fromFirst(String(decoding: JSONEncoder().encode(files), as: UTF8.self))
    return try JSONDecoder().decode([String].self, from: Data(text.utf8))
  }

  /// Throws unless `--input` is the shape of a grey image.
  static func checkInput(_ input: String) throws {
    guard let shape = Shape(argument: input) else { throw ValidationError(Shape.argumentFault(input)) }
    guard shape.rank == 3, shape[2] == 1 else {
      throw ValidationError("--input \(escaped(input)) is no shape of grey images; give rows and columns as in 28x28x1")
    }
  }

  /// A blank picture of this `--input`, in the place of a data set.
  static func blank(_ input: String?, label: Int?) throws -> InMemoryDataset {
    let shape = input.flatMap { Shape(argument: $0) } ?? [28, 28, 1]
    return try InMemoryDataset(
      name: "a picture", inputs: Buffer(count: shape.count), shape: shape, labels: Buffer([Int32(label ?? 0)]))
  }

  /// The digit in `file`, as MNIST has its own, [rows, columns]. Throws as ``read(_:)`` does, and with 65 if it shows nothing.
  static func digit(in file: String, rows: Int, columns: Int) throws -> [Float] {
    let picture = try read(file)
    do { return try DigitPicture.values(of: picture, rows: rows, columns: columns) } catch {
      throw TrainingError(.badData, "\(file): \(error)")
    }
  }

  /// The files that `arguments` name, a directory's in the order of their names. Throws with 66 if a directory cannot be read or has none.
  static func expand(_ arguments: [String]) throws -> [String] {
    try arguments.flatMap { argument -> [String] in
      var isDirectory = false
      guard argument != standardInput, FileManager.default.fileExists(atPath: argument, isDirectory: &isDirectory),
        isDirectory
      else { return [argument] }
      let names = try? FileManager.default.contentsOfDirectory(atPath: argument)
      let pictures = (names ?? []).filter { name in endings.contains { name.lowercased().hasSuffix($0) } }.sorted()
      guard !pictures.isEmpty else {
        throw TrainingError(
          .missingInput,
          "\(argument): \(names == nil ? "cannot be read" : "no \(endings.joined(separator: ", ")) is there")")
      }
      return pictures.map { "\(argument)/\($0)" }
    }
  }

  /// The picture in `file`. Throws with 66 if it is missing, with 65 if it is none or too large.
  static func read(_ file: String) throws -> GreyImage {
    let bytes: [UInt8]
    if file == standardInput {
      bytes = try readStandardInput()
    } else {
      do { bytes = try fileBytes(file, limit: GreyImage.mostFileBytes) } catch { throw TrainingError(error) }
    }
    do { return try GreyImage(file: bytes) } catch {
      throw TrainingError(.badData, "\(file == standardInput ? "standard input" : file): \(error)")
    }
  }

  private static func readStandardInput() throws -> [UInt8] {
    let input = FileHandle.standardInput
    var bytes: [UInt8] = []
    while let part = try? input.read(upToCount: 1 << 20), !part.isEmpty {
      bytes += part
      guard bytes.count <= GreyImage.mostFileBytes else {
        throw TrainingError(.badData, "standard input: is more than \(GreyImage.mostFileBytes) bytes")
      }
    }
    return bytes
  }
}
