import Checkpoints
import Datasets

/// Throws ``CheckpointError`` unless the state in `file` is possible: between two steps of `batches`, counted from the
/// run's first.
///
/// A right checksum shows that a file is as it was written, not who wrote it.
func requireState(of file: borrowing CheckpointFile, in batches: BatchPlan) throws {
  let (state, path) = (file.state, file.path)
  func require(_ holds: Bool, _ key: String, _ value: String, _ expected: String) throws {
    if !holds { throw CheckpointError.notACheckpoint(path: path, key: key, expected: expected, found: value) }
  }
  try require(
    state.sampleOffset < batches.samples && state.sampleOffset % batches.globalBatch == 0, "sample_offset",
    "\(state.sampleOffset)", "a multiple of \(batches.globalBatch) below \(batches.samples)")
  let stepsInEpoch = state.sampleOffset / batches.globalBatch
  let (stepsBefore, isTooLarge) = batches.steps.multipliedReportingOverflow(by: state.epoch)
  let (steps, isBeyond) = stepsBefore.addingReportingOverflow(stepsInEpoch)
  try require(!isTooLarge && !isBeyond, "epoch", "\(state.epoch)", "one whose steps can be counted")
  // A step that was skipped counts as one.
  try require(state.step == steps, "step", "\(state.step)", "\(steps), which its epoch and sample_offset make")
  if let best = state.best {
    let (bestStep, isTooFar) = batches.steps.multipliedReportingOverflow(by: best.epoch)
    try require(
      !isTooFar && best.epoch >= 1 && best.step == bestStep && best.step <= state.step, "best_step",
      "\(best.step) of epoch \(best.epoch)", "the last of an epoch that is over")
  }
  try require("\(state.seed)" == file.recipe["seed"], "seed", "\(state.seed)", "the recipe's")
  // Private batches are of many sizes.
  if file.recipe["private_noise"] != nil {
    return try require(
      (0...state.sampleOffset).contains(state.sums.samples) && (0...stepsInEpoch).contains(state.sums.skippedSteps),
      "epoch_samples", "\(state.sums.samples) with \(state.sums.skippedSteps) steps skipped",
      "no more than its sample_offset has places for")
  }
  let stepsTaken = state.sums.samples / batches.globalBatch
  try require(
    state.sums.samples % batches.globalBatch == 0 && state.sums.skippedSteps <= stepsInEpoch - stepsTaken,
    "epoch_samples", "\(state.sums.samples) with \(state.sums.skippedSteps) steps skipped",
    "a multiple of \(batches.globalBatch) that leaves so many of \(stepsInEpoch) steps")
}
