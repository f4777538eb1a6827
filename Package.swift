// swift-tools-version: 6.3
import PackageDescription

// CPU flags come from `launch/build`, not from here: a manifest with unsafeFlags could not be depended on.
// Strict memory safety makes every use of unsafe code a word that can be searched for, and a warning where it is missing.
let settings: [SwiftSetting] = [.strictMemorySafety(), .enableUpcomingFeature("ExistentialAny")]

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], path: String? = nil) -> Target {
  .testTarget(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

let package = Package(
  name: "lockstep",
  products: [
    .library(name: "Lockstep", targets: ["Lockstep"]),
    .executable(name: "lockstep", targets: ["lockstep-cli"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // C libraries: a module map, pkg-config, and accessors for the macros that Swift cannot import.
    .systemLibrary(name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CIntrinsics"),
    .systemLibrary(name: "CProcesses"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    // What happens before any library starts.
    .target(name: "CEarly"),

    // The rooms, in the order in which data passes through them.
    room("Kernels", ["COpenBLAS", "CIntrinsics"]),
    room("Tensors", ["Kernels"]),
    room("Digests", ["COpenSSL"]),
    room("Datasets", ["Kernels", "Tensors", "Digests", "CZlib"]),
    room("NeuralNetworks", ["Kernels", "Tensors"]),
    room("Optimizers", ["Kernels", "Tensors"]),
    room("Collectives", ["Kernels", "Tensors"]),
    room("MPICollectives", ["Kernels", "Collectives", "Tensors", "COpenMPI", "CProcesses"]),
    room("Checkpoints", ["Tensors", "Digests"]),
    room(
      "Training",
      ["Kernels", "Tensors", "Datasets", "NeuralNetworks", "Optimizers", "Collectives", "Checkpoints", "Digests"]),
    room("Reporting", ["Training", "Checkpoints", "Tensors"]),
    room(
      "Lockstep",
      [
        "Tensors", "Datasets", "NeuralNetworks", "Optimizers", "Collectives", "MPICollectives", "Checkpoints",
        "Training", "Reporting",
      ]),
    .executableTarget(
      name: "lockstep-cli",
      dependencies: [
        "Lockstep", "Kernels", "CEarly", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),

    // Damaged files, for the tests of everything that reads files.
    .target(name: "Fuzzing", dependencies: ["Tensors", "Checkpoints"], path: "Tests/Fuzzing", swiftSettings: settings),
    tests("KernelsTests", ["Kernels"]),
    tests("TensorsTests", ["Tensors"]),
    tests("DigestsTests", ["Digests"]),
    tests("DatasetsTests", ["Datasets", "Tensors", "Digests", "CZlib", "Fuzzing"]),
    tests("NeuralNetworksTests", ["NeuralNetworks", "Kernels", "Tensors"]),
    tests("OptimizersTests", ["Optimizers", "Tensors"]),
    // What the fixed tree must give, worked out plainly: shared by the tests of threads and those of processes.
    .target(
      name: "ReductionReference", dependencies: ["Collectives", "Tensors"], path: "Tests/ReductionReference",
      swiftSettings: settings),
    tests("CollectivesTests", ["Collectives", "Tensors", "ReductionReference"]),
    tests("CheckpointsTests", ["Checkpoints", "Tensors", "Digests", "Fuzzing"]),
    tests("TrainingTests", ["Lockstep", "Fuzzing"]),
    tests("ArchitectureTests", []),
    // Start the built program, alone and below mpirun, on real data.
    tests("ProgramTests", ["Lockstep", "lockstep-cli", "Fuzzing"]),
    // Run under mpirun at 1, 2, 3 and 4 ranks by launch/test.
    tests("MPITests", ["Collectives", "MPICollectives", "Tensors", "ReductionReference"], path: "Tests/MPI"),
  ],
  swiftLanguageModes: [.v6]
)
