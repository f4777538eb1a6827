import Kernels
import Tensors

/// Dropout (Srivastava et al. 2014), inverted as everywhere today: in training each value is 0 with probability p, and else
/// `x / (1 − p)`; in evaluation `y = x`. Of any shape; learns nothing.
///
/// The dropped values follow from the run's seed, the step, the sample's place in the global batch and the layer's
/// place in the network (Philox, 16 bits a value). Nothing depends on the rank or on how the batch is cut.
public struct Dropout: LayerSpecification {
  /// p, in 0 ..< 1, to the nearest 1/65536.
  public let probability: Float
  public var kind: String { "dropout" }

  /// Drops with `probability`, which must be in 0 ..< 1.
  public init(_ probability: Float) {
    precondition((0..<1).contains(probability), "a dropout of \(probability)")
    self.probability = probability
  }

  public func outputShape(for input: Shape) throws -> Shape { input }

  public func takesSeveralMicrobatches(for input: Shape) -> Bool { true }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    DropoutLayer(probability, count: input.count, capacity: capacity)
  }
}

private final class DropoutLayer: Layer {
  private let threshold: UInt32
  private let scale: Float
  private let count: Int
  /// The factor of each value, [capacity, count]: 0 or 1 / (1 − p).
  private let mask: Buffer<Float>
  /// One sample's random words, two values a word.
  private let words: Buffer<UInt32>
  var parameters: [ParameterSpecification] { [] }

  init(_ probability: Float, count: Int, capacity: Int) {
    threshold = UInt32((probability * 65536).rounded())
    scale = 1 / (1 - probability)
    self.count = count
    mask = Buffer(count: capacity * count)
    let perGroup = 2 * Philox.groupCount
    words = Buffer(count: (count + perGroup - 1) / perGroup * Philox.groupCount)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    guard pass.isTraining else { return output.copy(from: input) }
    for sample in 0..<pass.samples {
      guard var stream = pass.words(forSample: sample, .dropout) else { continue }
      stream.fill(words)
      keepMask(words, below: threshold, kept: scale, into: mask[sample * count..<(sample + 1) * count])
    }
    product(input, mask.prefix(input.count), into: output)
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    guard let inputGradient = windows.inputGradient else { return }
    guard pass.isTraining else { return inputGradient.copy(from: windows.outputGradient) }
    product(windows.outputGradient, mask.prefix(windows.outputGradient.count), into: inputGradient)
  }
}

extension Dropout: DescribedLayer {
  public var properties: [LayerProperty] { [.number("probability", probability)] }

  public init(from reader: inout LayerReader) throws {
    self.init(try reader.number("probability", in: 0..<1, "at least 0 and less than 1"))
  }
}
