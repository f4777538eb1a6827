import Kernels

/// Makes this thread compute as every rank's does. Throws with 70 if there is not enough memory for OpenBLAS.
public func prepareArithmetic() throws {
  guard !Arithmetic.prepare() else { return }
  throw TrainingError(
    .rankFailed,
    "OpenBLAS computes in \(megabytes(Double(Arithmetic.bufferBytes))) of address space, and there are "
      + "\(megabytes(Double(availableMemory))) left; raise the limit (ulimit -v)")
}
