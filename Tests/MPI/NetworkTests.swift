import MPICollectives
import Testing

extension RankTests {
  /// Where Open MPI looks for networks; what it then loads is in the program's NetworkTests.
  @Suite struct NetworkTests {
    @Test func `Networks stay where ranks may be elsewhere, or the user has chosen`() {
      onEveryRank { _ in
        let here = ["OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_LOCAL_SIZE": "2"]
        #expect(MPICommunicator.needsNoNetwork(here))
        for changes in [["OMPI_COMM_WORLD_LOCAL_SIZE": "1"], ["OMPI_MCA_pml": "cm"], ["OMPI_MCA_mtl": "psm2"]] {
          #expect(!MPICommunicator.needsNoNetwork(here.merging(changes) { $1 }), "\(changes)")
        }
        #expect(!MPICommunicator.needsNoNetwork([:]))
        #expect(!MPICommunicator.needsNoNetwork(["PMIX_SIZE": "1"]))
      }
    }
  }
}
