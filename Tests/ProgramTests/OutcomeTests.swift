import Testing

extension ProgramTests {
  /// What the other tests look at is what the program said, not what its launcher did.
  @Suite struct OutcomeTests {
    @Test func whatTheLauncherSaysByItselfIsLeftOut() {
      let own = [
        "[host-1:4711] Read -1, expected 8192, errno = 3\n",
        "[warn] Epoll MOD(1) on fd 24 failed. Old events were 6; read change was 0 (none): Bad file descriptor\n",
      ]
      for line in own {
        #expect(Program.Outcome.withoutLaunchersOwn(line).isEmpty)
        let between = "lockstep: a\n\(line)lockstep: b\n"
        #expect(Program.Outcome.withoutLaunchersOwn(between) == "lockstep: a\nlockstep: b\n")
        let within = "lockstep: of \(line)"
        #expect(Program.Outcome.withoutLaunchersOwn(within) == within)
      }
    }
  }
}
