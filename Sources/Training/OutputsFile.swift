import Checkpoints
import NeuralNetworks
import Tensors

/// A file of a network's outputs over a data set, beside the targets, in one of the formats that its name can end with.
public struct OutputsFile: Sendable {
  /// The format of the file.
  public enum Format: String, CaseIterable, Sendable {
    /// A line a sample: its outputs and then its target, a label or real numbers, as texts that are read again as the same floats.
    case csv
    /// Two tensors: `logits`, 32-bit floats `[samples, outputs…]`, and `targets`, labels as 64-bit integers `[samples]` or 32-bit floats
    /// `[samples, values]`.
    case safetensors
  }

  /// The file's path.
  public let path: String
  /// The file's format.
  public let format: Format

  /// The names that a file can have, for help and for errors.
  public static let forms = Format.allCases.map { "FILE.\($0.rawValue)" }.joined(separator: " or ")

  /// The file at `path`; nil unless it ends as a ``Format`` does.
  public init?(_ path: String) {
    guard let format = Format.allCases.first(where: { path.hasSuffix(".\($0.rawValue)") }) else { return nil }
    (self.path, self.format) = (path, format)
  }
}

extension Evaluation {
  /// Writes the network's outputs with the weights `parameters` and the targets to `file`, in the order of the data, durably and
  /// atomically.
  ///
  /// One rank does it alone: the slices are those of ``run(_:beforeSlice:)``, and so the outputs' bits. A file of tensors is put together
  /// in memory. Throws ``FileWriteError``.
  public func writeOutputs(_ parameters: Buffer<Float>, to file: OutputsFile) throws(FileWriteError) {
    try AtomicFile.removeLeftover(of: file.path)
    switch file.format {
    case .csv: try writeLines(parameters, to: file.path)
    case .safetensors: try writeTensors(parameters, to: file.path)
    }
  }

  private func writeLines(_ parameters: Buffer<Float>, to path: String) throws(FileWriteError) {
    try AtomicFile.write(to: path) { file throws(FileWriteError) in
      try forEachSlice(parameters) { _, examples, outputs throws(FileWriteError) in
        let (width, values) = (outputs.count / examples.samples, examples.values.count / examples.samples)
        var lines = ""
        for sample in 0..<examples.samples {
          var fields = (0..<width).map { "\(outputs[sample * width + $0])" }
          fields +=
            values == 0
            ? ["\(examples.labels[sample])"] : (0..<values).map { "\(examples.values[sample * values + $0])" }
          lines += fields.joined(separator: ",") + "\n"
        }
        try file.write(Array(lines.utf8))
      }
    }
  }

  private func writeTensors(_ parameters: Buffer<Float>, to path: String) throws(FileWriteError) {
    let (width, valueCount) = (network.loss.outputs, data.targets.valueCount ?? 0)
    let logits = Buffer<Float>(count: data.count * width)
    let labels = Buffer<Int64>(count: valueCount == 0 ? data.count : 0)
    let values = Buffer<Float>(count: data.count * valueCount)
    forEachSlice(parameters) { samples, examples, outputs in
      logits[samples.lowerBound * width..<samples.upperBound * width].copy(from: outputs)
      if valueCount == 0 {
        for sample in samples { labels[sample] = Int64(examples.labels[sample - samples.lowerBound]) }
      } else {
        values[samples.lowerBound * valueCount..<samples.upperBound * valueCount].copy(from: examples.values)
      }
    }
    let outputs = NamedTensor(
      name: "logits", shape: Shape([data.count] + network.loss.outputShape.extents), values: logits)
    let targets: any StorableTensor =
      valueCount == 0
      ? NamedIntegers(name: "targets", shape: [data.count], values: labels)
      : NamedTensor(name: "targets", shape: [data.count, valueCount], values: values)
    try SafeTensors.write([outputs, targets], to: path)
  }

  /// Calls `body` with each slice of the data, in order: its samples' numbers, the samples, and the network's outputs for them.
  func forEachSlice<Failure: Error>(
    _ parameters: Buffer<Float>, _ body: (Range<Int>, Examples, Buffer<Float>) throws(Failure) -> Void
  ) throws(Failure) {
    for start in stride(from: 0, to: data.count, by: Self.slice) {
      // The other ranks wait for this one, and must see that it moves on.
      communicator.entered(.evaluation, step: nil)
      let samples = start..<min(start + Self.slice, data.count)
      let examples = feed.load(samples)
      try body(samples, examples, network.outputs(examples, parameters: parameters))
    }
  }
}
