import Foundation
import Testing

extension ProgramTests {
  /// What Open MPI loads for networks, by the dynamic loader's own record of a job on one host.
  struct NetworkTests {
    /// The names of the files that two ranks load, with the variable OMPI_MCA_pml as given.
    private static func loadedFiles(transport: String?) throws -> Set<String> {
      let scratch = try ScratchDirectory()
      var environment = ["LD_DEBUG": "files", "LD_DEBUG_OUTPUT": scratch.file("loaded")]
      environment["OMPI_MCA_pml"] = transport
      let outcome = try Program.start(
        ["bench", "allreduce", "--most", "256"], ranks: 2, environment: environment
      ).wait()
      #expect(outcome.code == 0, "\(outcome)")
      var names: Set<String> = []
      for name in try FileManager.default.contentsOfDirectory(atPath: scratch.path) where name.hasPrefix("loaded.") {
        let lines = try String(contentsOfFile: scratch.file(name), encoding: .utf8).split(separator: "\n")
        for line in lines { if let name = line.firstMatch(of: /file=([^ ]+)/) { names.insert(String(name.1)) } }
      }
      return names
    }

    @Test func `Libraries of networks are loaded only where the user asks for them`() throws {
      let mine = try Self.loadedFiles(transport: nil)
      #expect(mine.contains { $0.hasPrefix("libmpi.so") } && mine.contains { $0.contains("mca_pml_ob1") })
      #expect(!mine.contains { $0.contains("mca_mtl_") })
      let users = try Self.loadedFiles(transport: "^ucx")
      #expect(users.contains { $0.contains("mca_mtl_") })
    }
  }
}
