import ArgumentParser

/// The part of the optimizer's state that each rank keeps.
struct ShardingOptions: ParsableArguments {
  @Flag(
    help:
      "Each rank keeps the moments of a slice of the weights, and steps that slice for all (ZeRO stage 1); the same bits either way."
  )
  var optimizerSharding = false
}
