import ArgumentParser
import Lockstep

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what a checkpoint or any other safetensors file holds, after checking every byte of it.")

  @Argument(help: "The file.")
  var file: String

  func run() throws {
    guard World.isFirst else { return }
    do {
      let opened = try SafeTensorsFile(file, checksums: .optional)
      print(
        "\(singleLine(file)): \(opened.byteCount) bytes, \(opened.header.hasChecksums ? "checksums match" : "no checksums in it")"
      )
      for entry in opened.header.metadata where !entry.key.utf8.starts(with: "sha256".utf8) {
        print("  \(escaped(entry.key)): \(escaped(entry.value, limit: 1000))")
      }
      for tensor in opened.header.tensors {
        print("  \(escaped(tensor.name)) \(tensor.elementType.rawValue) \(tensor.shape)")
      }
    } catch {
      throw TrainingError(error.fileIsMissing ? .missingInput : .badData, error.description)
    }
  }
}
