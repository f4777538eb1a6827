// swift-tools-version: 6.3
import PackageDescription

// CPU flags come from `launch/build`, not from here: a library with unsafeFlags could not be depended on. The program may have some.
// Strict memory safety makes every use of unsafe code a word that can be searched for, and a warning where it is missing.
let settings: [SwiftSetting] = [.strictMemorySafety(), .enableUpcomingFeature("ExistentialAny")]

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

// What only the program and the tests have, which nobody depends on. Little in them is run often enough to pay for making it fast: that
// would take half of a first build of the tests.
let unoptimized = settings + [.unsafeFlags(["-Onone"])]

func tests(_ name: String, _ dependencies: [Target.Dependency], path: String? = nil) -> Target {
  .testTarget(name: name, dependencies: dependencies, path: path, swiftSettings: unoptimized)
}

let package = Package(
  name: "lockstep",
  products: [
    .executable(name: "lockstep", targets: ["lockstep-cli"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
  ],
  targets: [
    // C libraries: a module map, pkg-config, and accessors for the macros that Swift cannot import.
    .systemLibrary(name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CIntrinsics"),
    .systemLibrary(name: "CProcesses"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    // What happens before any library starts.
    .target(name: "CEarly"),

    // The rooms, in the order in which data passes through them.
    // The kernels take longest to compile, and all but data and texts waits for them. SwiftPM starts what is ready in the reverse order of
    // names: so theirs are late in the alphabet, and Privacy and Exchange have `Buffer` from Tensors, as others do.
    room("Primitives", ["CIntrinsics"]),
    room("Vectors", ["Primitives", "CIntrinsics"]),
    room("VectorProducts", ["Primitives", "Vectors", "COpenBLAS", "CIntrinsics"]),
    room("VectorKernels", ["Primitives", "Vectors", "CIntrinsics"]),
    room("Kernels", ["Primitives", "Vectors", "VectorProducts", "VectorKernels"]),
    room("Tensors", ["Primitives"]),
    room("Privacy", ["Primitives", "Tensors"]),
    room("Digests", ["COpenSSL"]),
    room("Datasets", ["Primitives", "Tensors", "Digests", "CZlib"]),
    room("NeuralNetworks", ["Kernels", "Tensors"]),
    room("Exchange", ["Tensors", "CZlib"]),
    room("Pictures", ["Tensors", "CPNG", "CTurboJPEG"]),
    room("Optimizers", ["Kernels", "Tensors", "NeuralNetworks"]),
    room("Collectives", ["Kernels", "Tensors"]),
    room("MPICollectives", ["Kernels", "Collectives", "Tensors", "COpenMPI", "CProcesses"]),
    room("SecureAggregation", ["Tensors", "Privacy", "Collectives", "COpenSSL"]),
    room("Checkpoints", ["Tensors", "Digests"]),
    room(
      "Steps",
      ["Kernels", "Tensors", "Datasets", "NeuralNetworks", "Optimizers", "Collectives", "Privacy"]),
    room(
      "Training",
      [
        "Kernels", "Tensors", "Datasets", "NeuralNetworks", "Optimizers", "Collectives", "Checkpoints", "Digests",
        "Privacy", "Steps",
      ]),
    room(
      "Federation",
      [
        "Kernels", "Tensors", "Datasets", "NeuralNetworks", "Optimizers", "Collectives", "Checkpoints", "Digests",
        "Privacy", "SecureAggregation", "Steps", "Training",
      ]),
    room(
      "Auditing",
      [
        "Kernels", "Tensors", "Digests", "Datasets", "NeuralNetworks", "Collectives", "Checkpoints", "Steps",
        "Training",
      ]),
    room("Exporting", ["Tensors", "NeuralNetworks", "Exchange", "Checkpoints"]),
    room("Explanations", ["Tensors", "NeuralNetworks", "Privacy"]),
    room("Console", ["Primitives", "Tensors"]),
    room(
      "Reporting", ["Steps", "Training", "Console", "Checkpoints", "Datasets", "NeuralNetworks", "Tensors", "Exchange"]),
    room(
      "Fairness",
      ["Tensors", "Digests", "Datasets", "NeuralNetworks", "Checkpoints", "Steps", "Training", "Console"]),
    room("Anonymisation", ["Tensors", "Digests", "Datasets", "Console"]),
    room("Charts", ["Console"]),
    room(
      "RunReport",
      [
        "Steps", "Training", "Fairness", "Charts", "Console", "Checkpoints", "Datasets", "NeuralNetworks", "Pictures",
        "Tensors", .product(name: "Mustache", package: "swift-mustache"),
      ]),
    room(
      "Jobs",
      ["Kernels", "Tensors", "Collectives", "MPICollectives", "Checkpoints", "Training", "Console"]),
    room(
      "Lockstep",
      [
        "Tensors", "Digests", "Datasets", "NeuralNetworks", "Optimizers", "Collectives", "MPICollectives",
        "Checkpoints", "Privacy", "Steps", "Training", "Console", "Reporting", "Charts", "RunReport", "Jobs",
        "Exchange", "Exporting", "Explanations", "Federation", "Pictures", "SecureAggregation", "Fairness",
        "Anonymisation", "Auditing",
      ]),
    // For the program alone, so that who depends on the library needs no libyaml.
    room("YAML", ["Tensors", "CYAML"]),
    .executableTarget(
      name: "lockstep-cli",
      dependencies: [
        "Lockstep", "Kernels", "YAML", "CEarly", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: unoptimized),

    // Damaged files, for the tests of everything that reads files.
    .target(name: "Fuzzing", dependencies: ["Tensors", "Checkpoints"], path: "Tests/Fuzzing", swiftSettings: settings),
    // Distances of samples from the distributions that they should have, for the tests of random draws.
    .target(name: "Statistics", path: "Tests/Statistics", swiftSettings: settings),
    // Packages of Python, and programs of Debian, that tests compare with.
    .target(name: "PeerPython", dependencies: ["Checkpoints"], path: "Tests/PeerPython", swiftSettings: settings),
    tests("KernelsTests", ["Kernels", "ReductionReference"]),
    tests("TensorsTests", ["Tensors"]),
    tests("PrivacyTests", ["Privacy", "Tensors", "PeerPython", "Statistics"]),
    tests("DigestsTests", ["Digests"]),
    tests("YAMLTests", ["YAML", "Tensors", "Fuzzing"]),
    tests("ChartsTests", ["Charts"]),
    tests("RunReportTests", ["RunReport", "Training", "Fuzzing"]),
    tests("ExchangeTests", ["Exchange", "PeerPython"]),
    tests("PicturesTests", ["Pictures", "PeerPython"]),
    tests("DatasetsTests", ["Datasets", "Tensors", "Digests", "CZlib", "Fuzzing"]),
    tests("NeuralNetworksTests", ["NeuralNetworks", "Kernels", "Tensors", "ReductionReference", "Fuzzing"]),
    tests("OptimizersTests", ["Optimizers", "NeuralNetworks", "Tensors"]),
    // What the fixed tree must give, worked out plainly: shared by the tests of threads and those of processes.
    .target(
      name: "ReductionReference", dependencies: ["Collectives", "Tensors"], path: "Tests/ReductionReference",
      swiftSettings: settings),
    tests("CollectivesTests", ["Collectives", "Tensors", "ReductionReference"]),
    tests(
      "SecureAggregationTests", ["SecureAggregation", "Privacy", "Collectives", "Tensors", "Fuzzing", "Statistics"]),
    tests("CheckpointsTests", ["Checkpoints", "Tensors", "Digests", "Fuzzing", "PeerPython"]),
    tests("ExportingTests", ["Lockstep", "PeerPython"]),
    tests("ExplanationsTests", ["Lockstep", "PeerPython"]),
    tests("TrainingTests", ["Lockstep", "Fuzzing", "PeerPython", "Statistics"]),
    tests("FederationTests", ["Lockstep", "Statistics"]),
    tests("FairnessTests", ["Lockstep", "PeerPython"]),
    tests("AnonymisationTests", ["Anonymisation", "Datasets", "Digests", "Tensors", "Fuzzing", "PeerPython"]),
    tests("AuditingTests", ["Lockstep", "Fuzzing", "PeerPython"]),
    tests("ArchitectureTests", []),
    // Start the built program, alone and below mpirun, on real data. They take long to compile, and need not wait for the program
    // itself: a build of tests makes it as well.
    tests("ProgramTests", ["Lockstep", "Fuzzing", "PeerPython"]),
    // Run under mpirun at 1, 2, 3 and 4 ranks by launch/test.
    tests("MPITests", ["Collectives", "MPICollectives", "Tensors", "ReductionReference"], path: "Tests/MPI"),
  ],
  swiftLanguageModes: [.v6]
)

// SwiftPM compiles a target anew when a module changes that the target depends on itself, but not when one does that is below such a
// module: it would go on with the old layout of the types, and overwrite memory. So every target depends on all that is below it, and
// who depends on the library, on all of its rooms.
let direct = Dictionary(
  uniqueKeysWithValues: package.targets.map { target in
    (target.name, target.dependencies.compactMap { if case .byNameItem(let name, _) = $0 { name } else { nil } })
  })
/// All that is below a target, each once: first what it names itself.
func below(_ name: String) -> [String] {
  var found = direct[name, default: []]
  var index = 0
  while index < found.count {
    found += direct[found[index], default: []].filter { !found.contains($0) }
    index += 1
  }
  return found
}
let systemLibraries = Set(package.targets.filter { $0.type == .system }.map(\.name))
package.products.append(
  .library(name: "Lockstep", targets: ["Lockstep"] + below("Lockstep").filter { !systemLibraries.contains($0) }))
for target in package.targets where target.type != .system {
  target.dependencies += below(target.name).dropFirst(direct[target.name, default: []].count).map { .byName(name: $0) }
}
