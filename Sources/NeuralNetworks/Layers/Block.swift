import Tensors

/// Layers one after another as one layer, so that models nest: `y = fₙ(… f₁(x))`.
///
/// Its input is that of the first layer, its output that of the last. Its parameters are those of its layers, under
/// names such as `block2.convolution1.weights`.
///
///     Sequential([Block([Conv2D(filters: 8, kernel: 3), ReLU()]), Dense(10)], input: [28, 28, 1], capacity: 32)
public struct Block: LayerSpecification {
  /// The layers, in order.
  public let layers: [any LayerSpecification]
  public var kind: String { "block" }

  /// A block of one layer or more.
  public init(_ layers: [any LayerSpecification]) { self.layers = layers }

  public func outputShape(for input: Shape) throws -> Shape {
    var shape = input
    for layer in layers { shape = try layer.outputShape(for: shape) }
    return shape
  }

  public func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int {
    let planned = try? fusingNeighbours(of: layers, input: input, needsInputGradient: needsInputGradient)
    var (shape, needsInputGradient, operations) = (input, needsInputGradient, 0)
    for layer in planned ?? [] {
      operations += layer.trainingOperations(for: shape, needsInputGradient: needsInputGradient)
      needsInputGradient = needsInputGradient || layer.learntCount(for: shape) > 0
      guard let next = try? layer.outputShape(for: shape) else { break }
      shape = next
    }
    return operations
  }

  public func learntCount(for input: Shape) -> Double {
    var (shape, count) = (input, 0.0)
    for layer in layers {
      count += layer.learntCount(for: shape)
      guard let next = try? layer.outputShape(for: shape) else { break }
      shape = next
    }
    return count
  }

  public var usualMicrobatch: Int { layers.usualMicrobatch }

  public func takesSeveralMicrobatches(for input: Shape) -> Bool {
    let planned = try? fusingNeighbours(of: layers, input: input, needsInputGradient: true)
    return planned.map { allTakeSeveralMicrobatches($0, input: input) } ?? false
  }

  public func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    try Sequential(layers, input: input, capacity: capacity, needsInputGradient: needsInputGradient)
  }
}

extension Block {
  /// An `nn.Sequential` in another.
  public func module(in framework: Framework, input: FrameworkModule.Input) throws -> FrameworkModule {
    guard framework == .pytorch else { throw withoutModule(in: framework) }
    return try FrameworkModule.sequence(of: layers, in: framework, input: input)
  }
}

extension Block: DescribedLayer {
  public var properties: [LayerProperty] { [.layers("layers", layers)] }

  public init(from reader: inout LayerReader) throws { self.init(try reader.layers("layers")) }
}
