import FoundationEssentials
import Kernels
import Lockstep

/// The figures of `bench step`, as a table or as JSON.
struct StepReport: Encodable {
  struct Layer: Encodable {
    var name: String
    var output: String
    var flopPerSample: Int
    var forwardMicroseconds: Double
    var backwardMicroseconds: Double

    enum CodingKeys: String, CodingKey {
      case name, output
      case flopPerSample = "flop_per_sample"
      case forwardMicroseconds = "forward_microseconds"
      case backwardMicroseconds = "backward_microseconds"
    }
  }

  var model: String
  var batch: Int
  var microbatch: Int
  var samplesPerSecond: Double
  var flopPerSample: Int
  var gflops: Double
  var peak: Double
  var fraction: Double
  var repetitions: Int
  var layers: [Layer]

  enum CodingKeys: String, CodingKey {
    case model, batch, microbatch, gflops, repetitions, layers
    case samplesPerSecond = "samples_per_second"
    case flopPerSample = "flop_per_sample"
    case peak = "fma_peak_gflops"
    case fraction = "fraction_of_fma_peak"
  }

  func printJSON() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    print(String(decoding: try encoder.encode(self), as: UTF8.self))
  }

  func printTable() {
    print("\(model), batch \(batch) in microbatches of \(microbatch), one core, \(KernelIdentity.current)")
    print(
      "\(fixed(samplesPerSecond, 0)) samples/s, \(flopPerSample) FLOP a sample: \(fixed(gflops, 1)) GFLOP/s of an FMA peak of "
        + "\(fixed(peak, 1)), \(fixed(fraction * 100, 1)) %; medians of \(repetitions)")
    print("")
    row("layer", "output", "forward", "backward", "µs a sample", "GFLOP/s")
    for layer in layers {
      let whole = layer.forwardMicroseconds + layer.backwardMicroseconds
      row(
        layer.name, layer.output, fixed(layer.forwardMicroseconds, 2), fixed(layer.backwardMicroseconds, 2),
        fixed(whole, 2),
        layer.flopPerSample > 0 ? fixed(Double(layer.flopPerSample) * 1e-3 / whole, 1) : "")
    }
    let inLayers = layers.reduce(0) { $0 + $1.forwardMicroseconds + $1.backwardMicroseconds }
    row("the rest", "", "", "", fixed(1e6 / samplesPerSecond - inLayers, 2), "")
  }

  private func row(_ name: String, _ output: String, _ figures: String...) {
    print(
      [name.padded(to: 14), output.padded(to: 14)].joined()
        + figures.map { String(repeating: " ", count: max(1, 13 - $0.count)) + $0 }.joined())
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
