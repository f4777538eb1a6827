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

    @Test func `Every layer of a model has a line of figures`() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("small"))
      let outcome = try Program.run([
        "bench", "kernels", "--model", "mlp:64-40-10", "--data", scratch.file("small"), "--precision", "bf16",
      ])
      try #require(outcome.code == 0, "\(outcome.errors)")
      let lines = outcome.output.split(separator: "\n").suffix(4)
      #expect(lines.first?.contains("of the peak") == true, "\(outcome.output)")
      for (line, layer) in zip(lines.dropFirst(), ["dense1", "relu", "dense2"]) {
        #expect(line.hasPrefix(layer) && line.count { $0 == "%" } == (layer == "relu" ? 1 : 2), "\(line)")
      }
    }

    @Test(arguments: ["", "7x9", "7x9x0", "7x9x11,", "axbxc", "7x9x99999"])
    func `A list that is none is refused`(_ sizes: String) throws {
      let outcome = try Program.run(["bench", "kernels", "--sizes", sizes])
      #expect(outcome.code == 64 && outcome.errors.contains("--sizes"), "\(outcome.errors)")
    }
  }
}
