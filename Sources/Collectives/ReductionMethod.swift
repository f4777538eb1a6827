/// How gradients become one sum on every rank: `--reduction`.
public enum ReductionMethod: String, Sendable, CaseIterable {
  /// The fixed tree over microbatches: the same bits at any number of ranks.
  case lockstep
  /// `MPI_Allreduce` over each rank's own sum, for comparison: bits that depend on the number of ranks.
  case mpi
}
