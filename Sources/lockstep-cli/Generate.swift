import ArgumentParser
import Lockstep

struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draws images from a checkpoint of a model that predicts each pixel: \(PixelTask.blackAndWhite).",
    discussion: """
      The same checkpoint, seed and temperature give the same images. Those with the lower numbers stay when more are drawn. Below \
      mpirun rank 0 draws them alone.

      Example: lockstep generate runs/first --count 64 --output digits.png
      """)

  @Argument(help: "A checkpoint, or a run directory, whose newest whole checkpoint is meant.")
  var checkpoint: String?

  @Option(help: "The run directory, as an option.")
  var runDir: String?

  @OptionGroup var best: BestOption

  @Option(help: "How many images.")
  var count = 64

  @Option(
    parsing: .unconditional,
    help: "Below 1 for more probable images, above 1 for more diverse ones; at 0 each pixel is the more probable value."
  )
  var temperature: Float = 1

  @Option(parsing: .unconditional, help: "What the images follow from, beside the checkpoint.")
  var seed: UInt64 = 0

  @Option(help: "The PNG file, a grid of the images.")
  var output: String

  @OptionGroup var strictness: StrictOption

  /// A pixel becomes a square of this side, so that images of 14 × 14 can be seen.
  private static let scale = 4
  /// The pixels between two images.
  private static let gap = 4

  func validate() throws {
    guard (checkpoint == nil) != (runDir == nil) else {
      throw ValidationError("give either a checkpoint or run directory, or --run-dir")
    }
    guard (1...10_000).contains(count) else { throw ValidationError("--count \(count) is not in 1 to 10,000") }
    guard temperature >= 0, temperature.isFinite else {
      throw ValidationError("--temperature \(temperature) is not a number from 0 on")
    }
  }

  func run() throws {
    guard World.isFirst else { return }
    do {
      let path = try best.checkpoint(checkpoint ?? runDir ?? "", strict: strictness.strict, on: SoloCommunicator())
      let (generator, shape) = try waiting(while: "reading the checkpoint") {
        try RestoredNetwork.generator(path, strict: strictness.strict) { Terminal.complain("warning: \($0)") }
      }
      // Channels side by side, where there are several.
      let (rows, columns) = (shape[0], shape[1] * shape[2])
      try requireSpace(rows, columns)
      try waiting(while: "drawing \(grouped(count)) image\(count == 1 ? "" : "s") of \(rows)×\(columns)") {
        let images = generator.draw(count, seed: seed, temperature: temperature)
        let picture = GreyImage(grid: images.array, rows: rows, columns: columns, scale: Self.scale, gap: Self.gap)
        try AtomicFile.write(picture.png, to: output)
      }
      print("\(singleLine(output)): \(count) images of \(rows)×\(columns)")
    } catch {
      throw TrainingError(error)
    }
  }

  /// Throws with 64 if the grid would be more than a PNG file may hold here, whatever image a checkpoint names.
  private func requireSpace(_ rows: Int, _ columns: Int) throws {
    guard GreyImage.across(count) * (max(rows, columns) * Self.scale + Self.gap) + Self.gap <= 65_535 else {
      throw TrainingError(
        .usage, "\(count) images of \(rows)×\(columns) are too large for one picture; give a smaller --count")
    }
  }
}
