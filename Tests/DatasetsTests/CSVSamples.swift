import Datasets
import Tensors
import Testing

/// Tables that a test writes, and what is read from them.
struct CSVSamples {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// The samples of the table `text`, tested on `test` or, if that is nil, on the rows split off.
  func parts(
    _ text: String, test: String? = nil, task: CSVTask? = nil, _ configure: (inout CSVOptions) -> Void = { _ in }
  ) throws -> CSVParts {
    try parts(Array(text.utf8), test: test.map { Array($0.utf8) }, task: task, configure)
  }

  func parts(
    _ bytes: [UInt8], test: [UInt8]? = nil, task: CSVTask? = nil, _ configure: (inout CSVOptions) -> Void = { _ in }
  ) throws -> CSVParts {
    var options = CSVOptions()
    options.normalisation = .none
    configure(&options)
    let path = try scratch.write(bytes, to: "table.csv")
    let testPath = try test.map { try scratch.write($0, to: "test.csv") }
    return try CSVParts(path: path, testPath: testPath, task: task, options)
  }

  /// The error that reading `text` ends with, without the directory.
  func error(
    _ text: String, test: String? = nil, task: CSVTask? = nil, _ configure: (inout CSVOptions) -> Void = { _ in }
  ) throws -> String {
    do {
      _ = try parts(text, test: test, task: task, configure)
      return "none"
    } catch let error as CSVError {
      return error.description.replacing("\(scratch.directory)/", with: "")
    }
  }
}

extension CSVDataset {
  /// The inputs of all samples, a row each.
  var rows: [[Float]] {
    let inputs = Buffer<Float>(count: count * inputShape.count)
    copyInputs(in: 0..<count, into: inputs)
    return (0..<count).map { inputs[$0 * inputShape.count..<($0 + 1) * inputShape.count].array }
  }

  var labels: [Int32] {
    let labels = Buffer<Int32>(count: count)
    copyLabels(in: 0..<count, into: labels)
    return labels.array
  }

  var values: [Float] {
    let values = Buffer<Float>(count: count)
    copyValues(in: 0..<count, into: values)
    return values.array
  }
}
