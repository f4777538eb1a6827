import Lockstep
import Testing

/// The norm that gradients are clipped by does not depend on how many ranks work it out, nor where.
@Suite struct ClippingTests {
  @Test func theBitsAreTheSameAtAnyNumberOfRanks() throws {
    var run = try SmallRun()
    run.options.directory = nil
    let free = try run.run(ranks: 1)[0].digest
    run.recipe.clipNorm = 0.3
    var digests: Set<String?> = []
    for ranks in 1...4 {
      for sharesMemory in [true, false] {
        run.execution.sharesMemory = sharesMemory
        digests.formUnion(try run.run(ranks: ranks).map(\.digest))
      }
    }
    #expect(digests.count == 1 && !digests.contains(free) && !digests.contains(nil))
    // A norm that no gradient reaches changes nothing.
    run.recipe.clipNorm = 1e6
    #expect(try run.run(ranks: 2)[0].digest == free)
  }

  @Test func theRecipeKnowsOfIt() throws {
    var run = try SmallRun()
    run.recipe.epochs = 1
    run.recipe.clipNorm = 0.5
    _ = try run.run(ranks: 1)
    run.recipe.clipNorm = nil
    let error = #expect(throws: TrainingError.self) { try run.run(ranks: 1) }
    #expect(error?.code == .badData)
    #expect(error?.description.contains("clip_norm is 0.5 there and not given here") == true)
  }
}
