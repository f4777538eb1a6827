import Kernels
import Lockstep

/// What `lockstep --version` says: the program, and what decides its bits and its speed.
enum VersionText {
  /// Open MPI's version.
  static var mpi: String { MPICommunicator.libraryVersion.split(separator: ",").first.map(String.init) ?? "unknown" }

  /// The instruction sets that the program was built for.
  static var builtFor: String {
    compiledFeatures.isEmpty ? "any processor of its architecture" : compiledFeatures.joined(separator: " ")
  }

  /// A line each for the program, MPI, BLAS, kernels and processor.
  static var lines: [String] {
    [
      "lockstep \(lockstepVersion)", "MPI: \(mpi)", "BLAS: \(blasConfiguration)", "built for: \(builtFor)",
      "kernels: \(KernelIdentity.current)", "processor: \(ProcessFacts.processorModel)",
    ]
  }
}
