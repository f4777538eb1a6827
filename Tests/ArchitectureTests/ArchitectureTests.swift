import Testing

@Suite struct ArchitectureTests {
  @Test func `No file imports what its room may not know`() throws {
    let declared = try SourceFiles.declaredDependencies()
    let files = try SourceFiles.all()
    #expect(files.count > 50, "the sources were not found")
    for file in files {
      #expect(declared[file.room] != nil, "\(file.path) is in no target of Package.swift")
      for violation in Arrows.violations(of: file, declared: declared) { Issue.record("\(violation)") }
    }
  }

  @Test func `Package.swift declares no dependency that may not be`() throws {
    let declared = try SourceFiles.declaredDependencies()
    #expect(declared["Training"]?.contains("Collectives") == true, "the manifest was not understood")
    #expect(declared["lockstep-cli"]?.contains("ArgumentParser") == true, "the manifest was not understood")
    for (room, modules) in declared {
      for module in modules {
        #expect(
          !Arrows.isForbidden(module, to: room, rooms: Set(declared.keys)), "\(room) must not depend on \(module)")
      }
    }
  }

  @Test func `Every declared dependency is imported somewhere in its room`() throws {
    let files = try SourceFiles.all()
    for (room, modules) in try SourceFiles.declaredDependencies() {
      let imported = files.filter { $0.room == room }.reduce(into: Set<String>()) { $0.formUnion($1.imports) }
      #expect(modules.subtracting(imported).isEmpty, "\(room) never imports these")
    }
  }

  /// The rooms that may say `unsafe`: flat memory, BLAS and SIMD upon it, MPI.
  static let unsafeRooms = ["Primitives", "Vectors", "VectorProducts", "VectorKernels", "MPICollectives"]

  /// The files elsewhere that may: C is called, or raw memory is read, there and nowhere else. A file is added to this list by
  /// whoever reviews what it does.
  static let unsafeFiles: Set<String> = [
    // The system's calls on files, zlib, libyaml, libcrypto, write(2) to standard error, sigaction(2).
    "Sources/Checkpoints/SystemCalls.swift", "Sources/Datasets/FileContent.swift",
    "Sources/Datasets/GzipStream.swift", "Sources/Digests/SHA256Digest.swift",
    "Sources/Digests/SHA256Hasher.swift", "Sources/Exchange/CRC32.swift", "Sources/Pictures/JPEG.swift",
    "Sources/Pictures/PNG.swift", "Sources/Console/Terminal.swift", "Sources/Jobs/Signals.swift",
    "Sources/SecureAggregation/LibCrypto.swift", "Sources/YAML/YAMLEvents.swift",
  ]

  @Test func `Only these files are unsafe`() throws {
    let unsafe = Set(try SourceFiles.all().filter { $0.contains(word: "unsafe") }.map(\.path)).filter { path in
      !Self.unsafeRooms.contains { path.hasPrefix("Sources/\($0)/") }
    }
    #expect(unsafe.subtracting(Self.unsafeFiles).sorted() == [], "not on the list")
    #expect(Self.unsafeFiles.subtracting(unsafe).sorted() == [], "on the list, but gone or safe")
  }

  /// MPI's start moves the environment while the watchdog's thread runs: see the file that may.
  @Test func `The environment is read in one place`() throws {
    let readers = try SourceFiles.all().filter { $0.contains(word: "getenv") || $0.contains(word: "processInfo") }.map(
      \.path)
    #expect(readers == ["Sources/Tensors/ProcessEnvironment.swift"])
  }

  /// Two rooms that draw for one purpose would draw the same numbers.
  @Test func `No two purposes of random words have one number`() throws {
    var numbers: [Substring: [String]] = [:]
    for file in try SourceFiles.all() {
      let rawValues = file.code.matches(of: /Purpose\(rawValue: (\d+)\)/).map(\.output.1)
      let cases = file.code.contains("enum Purpose") ? file.code.matches(of: /case \w+ = (\d+)/).map(\.output.1) : []
      for number in rawValues + cases { numbers[number, default: []].append(file.path) }
    }
    #expect(numbers.count > 20, "the purposes were not found")
    #expect(numbers.filter { $0.value.count > 1 }.isEmpty)
  }

  /// The start of a run, its loop and its accounts are read one by one.
  @Test func `No file of the trainer's is longer than 200 lines`() throws {
    let files = try SourceFiles.all().filter { $0.path.hasPrefix("Sources/Training/Trainer") }
    #expect(files.count > 3, "the sources were not found")
    for file in files { #expect(file.code.count(where: \.isNewline) <= 200, "\(file.path)") }
  }

  @Test func `The check of imports sees each arrow that must not be`() {
    // The check is itself code that could pass everything: here it is shown what it must not pass.
    let declared = SourceFiles.declaredDependencies(
      manifest: """
        room("Primitives"), room("VectorProducts", ["Primitives", "COpenBLAS"]), room("Kernels", ["Primitives"]), room("Tensors", ["Primitives"]), room("Collectives", ["Tensors"]),
        room("MPICollectives", ["Collectives", "COpenMPI"]), room("NeuralNetworks", ["Collectives"]),
        room("Optimizers"), room("Datasets", ["CZlib"]), room("Training", ["Collectives"]), room("Reporting", ["Training"]),
        room(
          "Lockstep", ["Reporting", "MPICollectives"]),
        .executableTarget(
          name: "lockstep-cli", dependencies: ["Lockstep", .product(name: "ArgumentParser", package: "x")]),
        """)
    #expect(declared.count == 13)
    #expect(declared["Optimizers"] == [])
    #expect(declared["lockstep-cli"] == ["Lockstep", "ArgumentParser"])
    func violations(_ room: String, _ code: String) -> Int {
      Arrows.violations(of: .init(path: "Sources/\(room)/File.swift", text: code), declared: declared).count
    }
    #expect(violations("NeuralNetworks", "import Collectives") == 1)
    #expect(violations("Optimizers", "import Glibc\n  internal import Collectives") == 2)
    #expect(violations("Datasets", "@_exported import struct Collectives.X") == 2)
    #expect(violations("Training", "import MPICollectives") == 2)
    #expect(violations("Training", "import Reporting") == 2)
    #expect(violations("Kernels", "import Tensors") == 2)
    #expect(violations("Vectors", "import VectorProducts") == 2)
    #expect(violations("VectorKernels", "import VectorProducts") == 2)
    #expect(violations("VectorProducts", "import Tensors") == 2)
    #expect(violations("VectorProducts", "import Kernels") == 2)
    #expect(violations("Kernels", "internal import COpenBLAS") == 2)
    #expect(violations("Tensors", "internal import COpenBLAS") == 2)
    #expect(violations("Collectives", "@preconcurrency import COpenMPI") == 2)
    #expect(violations("Collectives", "import Kernels") == 1)
    #expect(violations("Training", "import ArgumentParser") == 2)

    #expect(violations("Primitives", "import Kernels") == 2)

    #expect(violations("VectorProducts", "internal import COpenBLAS\nimport Primitives\nimport Glibc") == 0)
    #expect(violations("Training", "import Collectives // import Reporting") == 0)
    #expect(violations("lockstep-cli", "import ArgumentParser\nimport Lockstep") == 0)
  }
}
