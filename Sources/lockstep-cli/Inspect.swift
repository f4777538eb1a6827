import ArgumentParser
import Lockstep

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what a checkpoint or any other safetensors file holds, after checking every byte of it.")

  @Argument(help: "The file.")
  var file: String

  func run() throws {
    guard World.isFirst else { return }
    do throws(SafeTensorsError) {
      let opened = try SafeTensorsFile(file, checksums: .optional)
      print(
        "\(file): \(opened.byteCount) bytes, \(opened.header.hasChecksums ? "checksums match" : "no checksums in it")")
      for entry in opened.header.metadata where !entry.key.hasPrefix("sha256") {
        print("  \(entry.key): \(entry.value)")
      }
      for tensor in opened.header.tensors { print("  \(tensor.name) \(tensor.elementType.rawValue) \(tensor.shape)") }
    } catch {
      throw TrainingError(error.fileIsMissing ? .missingInput : .badData, error.description)
    }
  }
}
