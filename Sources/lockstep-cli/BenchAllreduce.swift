import ArgumentParser
import Kernels
import Lockstep

struct BenchAllreduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "allreduce",
    abstract: "Measures the sum over all ranks, small to large, and fits what a message costs.",
    discussion: """
      Start it as you would start training. Each line is a sum of so many floats by the fixed tree in memory that ranks share (where \
      they do), by the fixed tree with messages, and by MPI_Allreduce: the slowest rank's median time, and the floats' bytes over \
      it. The last lines are α (seconds a message) and β (seconds a float) as `lockstep bench scaling` takes them.

      Example: mpirun -n 2 lockstep bench allreduce --most 4194304
      """)

  @Option(help: "The floats of the smallest sum.")
  var least = 256

  @Option(help: "The floats of the largest sum.")
  var most = 4_194_304

  func validate() throws {
    guard 1...1 << 30 ~= least else { throw ValidationError("--least \(least) is not in 1 to 2³⁰") }
    guard (least...1 << 30).contains(most) else { throw ValidationError("--most \(most) is not in \(least) to 2³⁰") }
  }

  /// A way to add, with the name of its column.
  private struct Way {
    var name: String
    var method: ReductionMethod
    var sharesMemory: Bool
  }

  func run() throws {
    let world = try joinedWorld()
    try world.requireEqual([
      ("program", lockstepVersion), ("least", "\(least)"), ("most", "\(most)"),
    ])
    guard world.size > 1 else {
      throw TrainingError(
        .usage, "bench allreduce: one rank has nobody to add with; start it below mpirun -n 2 or more")
    }
    let ways = [
      Way(name: "shared memory", method: .lockstep, sharesMemory: true),
      Way(name: "messages", method: .lockstep, sharesMemory: false),
      Way(name: "MPI_Allreduce", method: .mpi, sharesMemory: false),
    ]
    if world.rank == 0 {
      Terminal.say("sums over \(world.size) ranks, one microbatch a rank: µs (GB/s)")
      row("floats", ways.map(\.name))
    }
    var measured: [[(load: ReductionLoad, seconds: Double)]] = ways.map { _ in [] }
    do {
      for floats in sequence(first: least, next: { $0 <= self.most / 4 ? $0 * 4 : nil }) {
        var figures: [String] = []
        for (index, way) in ways.enumerated() {
          let seconds = try waiting(while: "adding \(grouped(floats)) floats by \(way.name)") {
            try time(floats, way, world)
          }
          guard let seconds else {
            figures.append("–")
            continue
          }
          measured[index].append(
            (ReductionLoad(count: floats, microbatches: world.size, ranks: world.size), seconds))
          figures.append("\(fixed(seconds * 1e6, 1)) (\(fixed(Double(4 * floats) / seconds * 1e-9, 2)))")
        }
        if world.rank == 0 { row(grouped(floats), figures) }
      }
    } catch {
      throw TrainingError(error)
    }
    guard world.rank == 0 else { return }
    for (way, points) in zip(ways, measured) {
      guard let cost = MessageCost(fitting: points) else { continue }
      Terminal.say("\(way.name): --alpha \(scientific(cost.latency)) --beta \(scientific(cost.secondsPerFloat))")
    }
  }

  /// The slowest rank's median time of one sum, in seconds; nil if the ranks do not share memory as `way` needs.
  /// Collective.
  private func time(_ floats: Int, _ way: Way, _ world: any Communicator) throws -> Double? {
    try world.agree {
      let load = ReductionLoad(count: floats, microbatches: world.size, ranks: world.size)
      let needed = 4 * Double(load.buffers) * Double(world.hosts.neighbours(of: world.rank).count)
      guard needed <= Double(availableMemory) else {
        throw TrainingError(
          .usage,
          "a sum of \(grouped(floats)) floats takes \(megabytes(needed)) of memory on this host; give --most or --least fewer"
        )
      }
    }
    let reduction = try GradientReduction(
      count: floats, microbatchCounts: [world.size], communicator: world, method: way.method,
      sharesMemory: way.sharesMemory)
    guard reduction.isShared == way.sharesMemory else { return nil }
    let plan = reduction.plan(microbatches: world.size)
    var times: [Double] = []
    for sum in 0..<max(10, min(2000, 4_000_000 / floats)) {
      // As in a step, every rank has just written the memory that the others read.
      reduction.slot(0).fill(Float(sum))
      try world.barrier()
      let start = ContinuousClock.now
      _ = try reduction.sum(plan)
      try reduction.spread()
      times.append((.now - start).seconds)
    }
    let all = try world.gatherText("\(median(times))").compactMap { Double($0) }
    return all.max()
  }

  private func row(_ name: String, _ figures: [String]) {
    Terminal.say(([name] + figures).map { String(repeating: " ", count: max(1, 20 - $0.count)) + $0 }.joined())
  }
}
