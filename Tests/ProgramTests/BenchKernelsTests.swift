import Testing

extension ProgramTests {
  /// `lockstep bench kernels`.
  @Suite struct BenchKernelsTests {
    @Test func `Every product has a line of figures`() throws {
      let outcome = try Program.run(["bench", "kernels", "--sizes", "7x9x11,33x300x40", "--windows", "1"])
      try #require(outcome.code == 0, "\(outcome.errors)")
      let lines = outcome.output.split(separator: "\n")
      try #require(lines.count == 4, "\(outcome.output)")
      #expect(lines[2].contains("7 × 9 × 11") && lines[3].contains("33 × 300 × 40"))
      // The peak, and a speed with its part of it for each of three forms, ours and OpenBLAS', and for bfloat16.
      #expect(lines.dropFirst(2).allSatisfy { $0.split(separator: "(").count == 8 })
    }

    @Test(arguments: ["", "7x9", "7x9x0", "7x9x11,", "axbxc", "7x9x99999"])
    func `A list that is none is refused`(_ sizes: String) throws {
      let outcome = try Program.run(["bench", "kernels", "--sizes", sizes])
      #expect(outcome.code == 64 && outcome.errors.contains("--sizes"), "\(outcome.errors)")
    }
  }
}
