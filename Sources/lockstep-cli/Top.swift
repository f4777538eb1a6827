import ArgumentParser
import Lockstep

struct Top: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Watches a run from another terminal.",
    discussion: """
      Shows where the run stands, its losses, and each rank's share of work, communication and waiting in the last epoch. Reads the run's \
      directory and nothing else, so it does not disturb the job; the directory may be on a file system that hosts share. Ends with the \
      run, or by Ctrl-C.

      Example: lockstep top runs/first
      """)

  @Argument(help: "The run's directory.")
  var directory: String

  @Flag(help: "Show it once, and end; without a terminal that is always so.")
  var once = false

  func run() throws {
    guard World.isFirst else { return }
    guard !once && Terminal.isInteractive else {
      for line in try RunWatch(directory: directory).lines(columns: .max, rows: .max) { print(line) }
      return
    }
    while true {
      let watch = try RunWatch(directory: directory)
      let size = Terminal.size ?? (columns: 80, rows: 24)
      // In the last row the terminal would scroll, and behind the last column erase what is in it.
      Terminal.drawPage(watch.lines(columns: max(size.columns - 1, 0), rows: max(size.rows - 1, 0)))
      if watch.isOver { return }
      Terminal.pause(seconds: 1)
    }
  }
}
