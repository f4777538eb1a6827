import Checkpoints
import Tensors
import Testing

/// Names that look alike and are not the same: é as one scalar and as an e with an accent, K and the sign for kelvin. To Swift's
/// strings they are equal; to a file they are two names.
@Suite struct ExactNameTests {
  private static let pairs = [
    ("\u{E9}", "e\u{301}"), ("K", "\u{212A}"), ("\u{C5}", "\u{212B}"), ("\u{AC00}", "\u{1100}\u{1161}"),
    ("a\u{323}\u{307}", "a\u{307}\u{323}"),
  ]
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test(arguments: pairs)
  func bothAreListedAndEachIsRead(_ first: String, _ second: String) throws {
    let tensors = [first, second].enumerated().map {
      NamedTensor(name: $1, shape: [2], values: Buffer([Float($0), 7]))
    }
    let path = directory.file("both.safetensors")
    try SafeTensors.write(tensors, metadata: [(first, "1"), (second, "2")], to: path)
    let file = try SafeTensorsFile(path)
    #expect(file.header.tensors.map { Array($0.name.utf8) } == [first, second].map { Array($0.utf8) })
    #expect(file.header.metadataValue(first) == "1" && file.header.metadataValue(second) == "2")
    let read = blank(tensors)
    for tensor in read { try file.read(tensor.name, shape: tensor.shape, into: tensor.values) }
    #expect(isIdentical(read, tensors))
  }

  @Test(arguments: pairs)
  func oneIsNotTakenForTheOther(_ first: String, _ second: String) throws {
    func checkpoint(_ names: [String], recipe: Fingerprint = [:]) throws -> CheckpointFile {
      let tensors = names.map { NamedTensor(name: $0, shape: [1], values: Buffer([1])) }
      let path = directory.file("one.safetensors")
      try Checkpoint(tensors: tensors, state: RunState(seed: 0), recipe: recipe, weightsDigest: "").write(to: path)
      return try CheckpointFile(path)
    }
    func error(_ file: borrowing CheckpointFile) -> CheckpointError? {
      do throws(CheckpointError) {
        try file.read(into: [NamedTensor(name: first, shape: [1], values: Buffer([0]))])
        return nil
      } catch {
        return error
      }
    }
    #expect(error(try checkpoint([first])) == nil)
    guard case .file(let missing)? = error(try checkpoint([second])), case .tensorMissing = missing.problem else {
      Issue.record("\(second) was taken for \(first)")
      return
    }
    guard case .unexpectedTensor? = error(try checkpoint([first, second])) else {
      Issue.record("\(second) was not seen beside \(first)")
      return
    }
  }

  @Test(arguments: pairs)
  func recipesDiffer(_ first: String, _ second: String) {
    var recipe: Fingerprint = ["model": first]
    recipe[first] = "1"
    recipe[second] = "2"
    #expect(recipe.entries.count == 3)
    #expect(recipe[first] == "1" && recipe[second] == "2")
    #expect(recipe != ["model": second, first: "1", second: "2"] as Fingerprint)
    let differences = (["model": second, second: "2"] as Fingerprint).differences(from: recipe)
    #expect(differences.count == 2, "\(differences)")
    #expect(recipe.differences(from: recipe).isEmpty)
  }
}
