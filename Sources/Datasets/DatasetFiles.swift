/// The files in a directory whose names are those of a data set.
struct DatasetFiles {
  private let directory: String
  /// The names of a data set's files, in the order of their bytes; empty if the directory cannot be listed.
  private let names: [Name]
  /// The beginning of all names of the set: empty, or such as `emnist-letters-`.
  private let prefix: String

  /// The parts of a name such as `emnist-letters-train-images-idx3-ubyte.gz`.
  private struct Name {
    let whole: String
    /// `emnist-letters-`
    let prefix: String
    /// `train-images`
    let stem: String

    /// nil if `name` is not that of a data set's file.
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

  /// The files in `directory`. Throws ``IDXError`` if it holds several data sets.
  init(_ directory: String) throws(IDXError) {
    self.directory = directory.hasSuffix("/") ? directory : "\(directory)/"
    names = namesInDirectory(directory).compactMap(Name.init)
    let prefixes = Set(names.map(\.prefix)).sorted()
    // Names without a prefix, as MNIST's, come first, and count alone.
    guard prefixes.count <= 1 || prefixes[0].isEmpty else {
      throw IDXError(path: directory, cause: .severalSets(prefixes.map { String($0.dropLast()) }))
    }
    prefix = prefixes.first ?? ""
  }

  /// The file of `part`'s images or labels: the first of its possible names that is a regular file and not empty.
  ///
  /// If there is none, throws ``IDXError`` with the fault of the first name that exists, or that the file is missing.
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
