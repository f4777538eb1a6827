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
    var leastBytesPerSample: Double

    var microseconds: Double { forwardMicroseconds + backwardMicroseconds }

    enum CodingKeys: String, CodingKey {
      case name, output
      case flopPerSample = "flop_per_sample"
      case forwardMicroseconds = "forward_microseconds"
      case backwardMicroseconds = "backward_microseconds"
      case leastBytesPerSample = "least_bytes_per_sample"
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
      row(
        layer.name, layer.output, fixed(layer.forwardMicroseconds, 2), fixed(layer.backwardMicroseconds, 2),
        fixed(layer.microseconds, 2), gflops(of: layer).map { fixed($0, 1) } ?? "")
    }
    let inLayers = layers.reduce(0) { $0 + $1.microseconds }
    row("the rest", "", "", "", fixed(1e6 / samplesPerSecond - inLayers, 2), "")
  }

  /// Each layer's products against the peak, and the bytes that it must move against those that memory gives, in GB/s.
  func printKernels(memory: Double) {
    print("")
    print("\(model), batch \(batch) in microbatches of \(microbatch); copying gives \(fixed(memory, 1)) GB/s")
    row("layer", "output", "GFLOP/s", "of the peak", "GB/s", "of memory's")
    for layer in layers where layer.microseconds > 0 {
      let bytes = layer.leastBytesPerSample * 1e-3 / layer.microseconds
      row(
        layer.name, layer.output, gflops(of: layer).map { fixed($0, 1) } ?? "",
        gflops(of: layer).map { "\(fixed(100 * $0 / peak, 0)) %" } ?? "", fixed(bytes, 1),
        "\(fixed(100 * bytes / memory, 0)) %")
    }
  }

  private func gflops(of layer: Layer) -> Double? {
    layer.flopPerSample > 0 ? Double(layer.flopPerSample) * 1e-3 / layer.microseconds : nil
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
