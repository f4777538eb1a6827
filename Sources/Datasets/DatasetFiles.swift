/// The files of a directory that may be a data set's, by their names.
struct DatasetFiles {
  private let directory: String
  /// Names that are a data set's, in the order of their bytes; none where the directory cannot be listed.
  private let names: [Name]
  /// What the names of the set begin with: nothing, or as `emnist-letters-`.
  private let prefix: String

  /// `emnist-letters-train-images-idx3-ubyte.gz`, taken apart.
  private struct Name {
    let whole: String
    /// `emnist-letters-`
    let prefix: String
    /// `train-images`
    let stem: String

    /// nil where `name` is not a data set's.
    init?(_ name: String) {
      let unpacked = name.hasSuffix(".gz") ? name.dropLast(3) : name[...]
      guard let dot = unpacked.ranges(of: "idx").last?.lowerBound, dot > unpacked.startIndex else { return nil }
      let separator = unpacked.index(before: dot)
      let stems = ImageDataset.Part.allCases.flatMap(\.stems).flatMap { ["\($0)-images", "\($0)-labels"] }
      let head = unpacked[..<separator]
      guard "-.".contains(unpacked[separator]), let stem = stems.first(where: { head.hasSuffix($0) }) else {
        return nil
      }
      prefix = String(head.dropLast(stem.count))
      guard prefix.isEmpty || prefix.hasSuffix("-") else { return nil }
      (whole, self.stem) = (name, stem)
    }
  }

  /// Looks `directory` through. Throws ``IDXError`` where it holds several data sets.
  init(_ directory: String) throws(IDXError) {
    self.directory = directory.hasSuffix("/") ? directory : "\(directory)/"
    names = namesInDirectory(directory).compactMap(Name.init)
    let prefixes = Set(names.map(\.prefix)).sorted()
    // Files that are named as MNIST's come first.
    guard prefixes.count <= 1 || prefixes[0].isEmpty else {
      throw IDXError(path: directory, cause: .severalSets(prefixes.map { String($0.dropLast()) }))
    }
    prefix = prefixes.first ?? ""
  }

  /// The file that is `part`'s images or labels: the first name behind which there is a regular file that is not empty.
  ///
  /// Where there is none, throws ``IDXError`` with what is wrong with the first that is there at all.
  func path(_ part: ImageDataset.Part, _ kind: String, type: String) throws(IDXError) -> String {
    let stems = part.stems.map { "\(prefix)\($0)-\(kind)" }
    let usual = stems.flatMap { ["\($0)-\(type)", "\($0).\(type)", "\($0)-\(type).gz", "\($0).\(type).gz"] }
    let others = names.filter { stems.contains($0.prefix + $0.stem) }.map(\.whole).filter { !usual.contains($0) }
    var problem: IDXError?
    for path in (usual + others).map({ directory + $0 }) {
      let kind = FileKind(at: path)
      if let obstacle = kind.obstacle {
        problem = problem ?? IDXError(path: path, cause: .unreadable(reason: obstacle))
      } else if case .regular(let byteCount) = kind {
        if byteCount > 0 { return path }
        problem = problem ?? IDXError(path: path, cause: .truncated(expected: 8, found: 0))
      }
    }
    throw problem ?? IDXError(path: directory + usual[0], cause: .missing)
  }
}
