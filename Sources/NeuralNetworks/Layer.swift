import Kernels
import Tensors

@_exported import enum Kernels.Accumulation

/// A layer as a model describes it: a value that knows shapes, and makes the ``Layer`` that computes.
///
/// Shapes are of one sample, channels last: `[28, 28, 1]`, `[5408]`.
public protocol LayerSpecification: Sendable {
  /// The stem of its parameters' names, such as `dense`; layers of one kind are numbered in order.
  var kind: String { get }

  /// The shape of one sample's output. Throws where the layer cannot take `input`.
  func outputShape(for input: Shape) throws(ModelError) -> Shape

  /// The floating-point operations that training on one sample takes here, a multiply-add counting as two; those of
  /// elementwise layers are left out, and so are products with what is known to be zero.
  func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int

  /// The number of learnt values, as a number that does not overflow: known before memory is taken for them.
  func learntCount(for input: Shape) -> Double

  /// Makes the layer with every buffer that it will ever need, for up to `capacity` samples at once.
  ///
  /// - Parameter needsInputGradient: whether `backward` will be asked for the gradient of the input.
  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws(ModelError) -> any Layer
}

extension LayerSpecification {
  public func trainingOperations(for input: Shape, needsInputGradient: Bool) -> Int { 0 }
  public func learntCount(for input: Shape) -> Double { 0 }
}

/// A layer that computes: forward and backward side by side, no tape.
///
/// A layer keeps what backward needs and forward knew (which input won a pool, a gate's value) in buffers of its own,
/// made once; `forward` and `backward` allocate nothing. Its parameters and their gradients are windows onto one flat
/// block each, cut by ``parameters`` through ``ParameterLayout``, so one layer runs with any copy of the weights.
///
/// Every layer passes the gradient oracle and holds a golden value from PyTorch.
public protocol Layer: AnyObject {
  /// What the layer learns, in the order in which it lies in the block.
  var parameters: [ParameterSpecification] { get }

  /// Computes `output` [samples, output shape] from `input` [samples, input shape].
  func forward(_ input: Buffer<Float>, _ parameters: Buffer<Float>, into output: Buffer<Float>, _ pass: Pass)

  /// Computes the gradients, given that of the output. Follows a `forward` of the same microbatch.
  ///
  /// - Parameters:
  ///   - outputGradient: ∂loss/∂output [samples, output shape].
  ///   - input: what `forward` read.
  ///   - output: what `forward` wrote.
  ///   - parameters: what `forward` used.
  ///   - inputGradient: receives ∂loss/∂input; nil where nothing before this layer learns.
  ///   - gradient: receives ∂loss/∂parameters, summed (not averaged) over the samples.
  ///   - accumulation: whether that sum replaces what `gradient` holds or, once complete, is added to it. An add rounds
  ///     once an element, which makes it equal to replacing elsewhere and adding the two: the fixed tree's bits rest on it.
  func backward(
    _ outputGradient: Buffer<Float>, input: Buffer<Float>, output: Buffer<Float>, parameters: Buffer<Float>,
    into inputGradient: Buffer<Float>?, gradient: Buffer<Float>, _ accumulation: Accumulation, _ pass: Pass)
}

/// What a layer may know of the pass that it is part of: all of it independent of the rank.
public struct Pass: Sendable {
  /// The samples of this microbatch, at most the capacity that the layers were made for.
  public var samples: Int
  /// Where a training pass stands, for the noise of layers that add some; nil in an evaluation, which has none.
  public var noise: Noise?
  /// Which layer of the network is at work: containers append their stages' places, so that two layers of a kind differ.
  var path: UInt32 = 0

  /// A pass over `samples` samples.
  public init(samples: Int, noise: Noise? = nil) {
    self.samples = samples
    self.noise = noise
  }

  /// Whether gradients will be asked for.
  public var isTraining: Bool { noise != nil }

  /// The pass as the stage at `index` of a container sees it.
  func entering(stage index: Int) -> Pass {
    var inner = self
    inner.path = path &* 64 &+ UInt32(truncatingIfNeeded: index + 1)
    return inner
  }

  /// The random words of one sample in one layer: a function of seed, step, the sample's place in the batch and the layer.
  func words(forSample index: Int, _ purpose: Philox.Purpose) -> Philox? {
    noise?.words(forSample: index, Philox.Purpose(rawValue: purpose.rawValue | path << 8))
  }
}

/// One array that a layer learns.
public struct ParameterSpecification: Sendable, Hashable {
  /// Its name within the layer, such as `weights`; a network prefixes the layer's.
  public var name: String
  /// Its shape.
  public var shape: Shape
  /// How it starts.
  public var initialiser: Initialiser

  /// See the properties.
  public init(name: String, shape: Shape, initialiser: Initialiser) {
    self.name = name
    self.shape = shape
    self.initialiser = initialiser
  }
}

/// Where each parameter lies in its flat block: one after the other, each at a multiple of 16 floats (a cache line, and
/// the widest vector). The gaps stay zero for ever, their gradients being zero.
public struct ParameterLayout: Sendable {
  /// The parameters, in order.
  public let parameters: [ParameterSpecification]
  /// Where each one's elements lie.
  public let ranges: [Range<Int>]
  /// The floats of the whole block, gaps and all.
  public let count: Int

  /// Lays `parameters` out in order.
  public init(_ parameters: [ParameterSpecification]) {
    var offset = 0
    var ranges: [Range<Int>] = []
    for parameter in parameters {
      ranges.append(offset..<offset + parameter.shape.count)
      offset = (offset + parameter.shape.count + 15) / 16 * 16
    }
    self.parameters = parameters
    self.ranges = ranges
    self.count = offset
  }

  /// The number of learnt values, without the gaps.
  public var learntCount: Int { parameters.reduce(0) { $0 + $1.shape.count } }
}

/// A model that cannot be built as asked: always the user's choice of flags, so exit code 64.
public struct ModelError: Error, CustomStringConvertible, Equatable {
  /// One line: what is wrong and what to do.
  public let description: String

  /// An error of this one line.
  public init(_ description: String) { self.description = description }
}
