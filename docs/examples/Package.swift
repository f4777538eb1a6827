// swift-tools-version: 6.3
import PackageDescription

// A package that depends on Lockstep as yours would; there it is .package(url: …, from: …).
let lockstep: [Target.Dependency] = [.product(name: "Lockstep", package: "lockstep")]
let package = Package(
  name: "examples",
  dependencies: [.package(name: "lockstep", path: "../..")],
  targets: ["own-net", "own-dataset", "own-layer", "own-observer"].map {
    .executableTarget(name: $0, dependencies: lockstep, path: $0)
  },
  swiftLanguageModes: [.v6]
)
