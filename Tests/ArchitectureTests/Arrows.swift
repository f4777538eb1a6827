/// Who may not import whom, from docs/architecture.md.
enum Arrows {
  /// Modules that only these rooms may import.
  static let onlyImporters: [String: Set<String>] = [
    "COpenBLAS": ["VectorProducts"],
    "COpenMPI": ["MPICollectives"],
    "CProcesses": ["MPICollectives"],
    "CEarly": ["lockstep-cli"],
    "CZlib": ["Datasets", "Exchange"],
    "CPNG": ["Pictures"],
    "CTurboJPEG": ["Pictures"],
    "COpenSSL": ["Digests", "SecureAggregation"],
    "CYAML": ["YAML"],
    "YAML": ["lockstep-cli"],
    // Reached through the Observer protocol alone.
    "Reporting": ["Lockstep", "lockstep-cli"],
    "RunReport": ["Lockstep", "lockstep-cli"],
    "Mustache": ["RunReport"],
    "Console": ["Jobs", "Reporting", "Charts", "RunReport", "Fairness", "Anonymisation", "Lockstep", "lockstep-cli"],
    "MPICollectives": ["Jobs", "Lockstep", "lockstep-cli"],
    "Jobs": ["Lockstep", "lockstep-cli"],
    "Lockstep": ["lockstep-cli"],
    "ArgumentParser": ["lockstep-cli"],
  ]

  /// Modules that a room may not import: layers, optimizers and data know nothing of ranks but plain numbers, and the
  /// kernels know nothing of ours but the memory that they work in.
  static func isForbidden(_ module: String, to room: String, rooms: Set<String>) -> Bool {
    if let only = onlyImporters[module], !only.contains(room) { return true }
    switch room {
    case "Primitives": return rooms.contains(module)
    case "Vectors": return rooms.contains(module) && module != "Primitives"
    case "VectorProducts", "VectorKernels":
      return rooms.contains(module) && !["Primitives", "Vectors"].contains(module)
    case "Kernels":
      return rooms.contains(module) && !["Primitives", "Vectors", "VectorProducts", "VectorKernels"].contains(module)
    case "NeuralNetworks", "Optimizers", "Datasets": return module == "Collectives"
    default: return false
    }
  }

  /// What is wrong with a file's imports, one line each.
  static func violations(of file: SourceFiles.File, declared: [String: Set<String>]) -> [String] {
    let rooms = Set(declared.keys)
    // Of a module that is not ours, such as Glibc, the manifest says nothing.
    let declarable = rooms.union(declared.values.flatMap { $0 })
    return file.imports.sorted().flatMap { module -> [String] in
      var lines: [String] = []
      if isForbidden(module, to: file.room, rooms: rooms) {
        lines.append("\(file.path): \(file.room) must not import \(module)")
      }
      // SwiftPM does not stop an import of a sibling that happens to have been built.
      if declarable.contains(module), declared[file.room]?.contains(module) != true {
        lines.append("\(file.path): Package.swift does not let \(file.room) import \(module)")
      }
      return lines
    }
  }
}
