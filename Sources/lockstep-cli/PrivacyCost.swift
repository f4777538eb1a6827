import ArgumentParser
import Lockstep

/// `lockstep privacy`: what private training costs.
struct PrivacyCost: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "privacy",
    abstract: "Tells what private training costs: the epsilon of some steps, by every way of counting.",
    discussion: """
      Example: lockstep privacy --sample-rate 0.004 --noise-multiplier 1.1 --steps 3750 --delta 1e-5

      classic and improved go by Rényi differential privacy (Mironov 2017; Balle et al. 2020), pld by the distribution of the privacy \
      loss, which is the closest. Each holds.
      """)

  @Option(help: "The probability with which a sample is in a step's batch: batch size / samples.")
  var sampleRate: Double

  @Option(help: "The noise's standard deviation in units of the clipping norm.")
  var noiseMultiplier: Double

  @Option(help: "The number of steps.")
  var steps: Int

  @Option(help: "The delta that epsilon is told for.")
  var delta: Double

  @Flag(help: "Prints a JSON object.")
  var json = false

  func validate() throws {
    if steps < 0 { throw ValidationError("--steps \(steps) is less than 0") }
    if !(delta > 0 && delta < 1) { throw ValidationError("--delta \(delta) is not between 0 and 1") }
    do { _ = try mechanism() } catch { throw ValidationError("\(error)") }
  }

  private func mechanism() throws -> SubsampledGaussian {
    try SubsampledGaussian(sampleRate: sampleRate, noiseMultiplier: noiseMultiplier)
  }

  func run() throws {
    let ledger = PrivacyLedger(try mechanism(), steps: steps)
    let accountant = RDPAccountant(ledger)
    let found: [(name: String, epsilon: Double)]
    do {
      found =
        try RDPAccountant.Conversion.allCases.map {
          ($0.rawValue, try accountant.epsilon(delta: delta, conversion: $0).epsilon)
        } + [("pld", try PLDAccountant(ledger).epsilon(delta: delta))]
    } catch {
      throw TrainingError(.usage, "\(error)")
    }
    if json {
      // JSON has no infinity.
      let members = found.map { "\"\($0.name)\": \($0.epsilon.isFinite ? "\($0.epsilon)" : "null")" }
      print("{\(members.joined(separator: ", "))}")
    } else {
      for (name, epsilon) in found { print("epsilon \(epsilon) (\(name))") }
    }
  }
}
