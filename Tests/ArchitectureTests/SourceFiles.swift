import Foundation

/// The package's text, found from where this file is compiled.
enum SourceFiles {
  /// A Swift file of a room, without its comments.
  struct File: Sendable {
    /// From the package's top, such as `Sources/VectorKernels/Adam.swift`.
    var path: String
    /// The target, such as `Kernels`.
    var room: String
    /// The code.
    var code: String

    init(path: String, text: String) {
      self.path = path
      room = path.split(separator: "/").dropFirst().first.map(String.init) ?? ""
      code = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        line.range(of: "//").map { line[..<$0.lowerBound] } ?? line
      }.joined(separator: "\n")
    }

    /// The modules that the file imports.
    var imports: Set<String> {
      let pattern =
        /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|typealias|var|let)\s+)?(\w+)/
      return Set(code.matches(of: pattern.anchorsMatchLineEndings()).map { String($0.output.1) })
    }

    /// Whether `word` stands in the code as a word of its own.
    func contains(word: String) -> Bool {
      code.split { !($0.isLetter || $0.isNumber || $0 == "_") }.contains { $0 == word }
    }
  }

  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Every Swift file under Sources.
  static func all() throws -> [File] {
    let sources = root.appending(path: "Sources")
    return try FileManager.default.subpathsOfDirectory(atPath: sources.path).filter { $0.hasSuffix(".swift") }.sorted()
      .map { path in
        File(
          path: "Sources/\(path)",
          text: String(decoding: try Data(contentsOf: sources.appending(path: path)), as: UTF8.self))
      }
  }

  /// What Package.swift lets each target of Sources import: its own targets and the products of others, by target.
  static func declaredDependencies() throws -> [String: Set<String>] {
    let manifest = String(decoding: try Data(contentsOf: root.appending(path: "Package.swift")), as: UTF8.self)
    return declaredDependencies(manifest: manifest)
  }

  /// Reads a manifest's `room("Name", […])` and `.executableTarget(name: "Name", dependencies: […])`, as ours is written.
  static func declaredDependencies(manifest: String) -> [String: Set<String>] {
    let pattern = /(?:^|\s)(?:room\(\s*|\.executableTarget\(\s*name:\s*)"([^"]+)"(?:,[^\[\)]*\[([^\]]*)\])?/
    var declared: [String: Set<String>] = [:]
    for match in manifest.matches(of: pattern) {
      // `.product(name: "A", package: "b")` counts for A.
      let list = String(match.output.2 ?? "").replacing(/,\s*package:\s*"[^"]*"/, with: "")
      declared[String(match.output.1)] = Set(list.matches(of: /"([^"]+)"/).map { String($0.output.1) })
    }
    return declared
  }
}
