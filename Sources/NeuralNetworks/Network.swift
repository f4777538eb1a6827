import Kernels
import Tensors

/// A planned model with its loss, and every buffer between inputs and loss, for up to ``capacity`` samples at once.
///
/// It holds no weights. The caller passes a flat block in ``layout``, so one plan serves training, evaluation and any
/// other copy of the weights.
public final class Network {
  /// The model.
  public let model: Model
  /// The loss that it is trained on.
  public let loss: any Loss
  /// The most samples in one pass.
  public let capacity: Int
  /// The numbers that the factors of its products are rounded to. Sums, and all that is no product, are of single precision.
  public let precision: ProductPrecision
  /// The places of the parameters in the flat block.
  public let layout: ParameterLayout

  /// The floating-point operations of training on one sample (``LayerSpecification/trainingOperations(for:needsInputGradient:)``).
  public var trainingOperations: Int { body.trainingOperations }

  /// The stages that the planning pass made of the model's layers.
  public var stages: [StageDescription] { body.stageDescriptions }

  /// A listener to the work of ``stages``; nil for none.
  public var stageObserver: (any StageObserver)? {
    get { body.stageObserver }
    set { body.stageObserver = newValue }
  }

  /// The sums of each microbatch of the last pass that was differentiated, in order.
  public private(set) var losses: [LossSums] = []
  /// ∂(loss sum)/∂input [capacity, input shape] of the last pass that was differentiated; nil if the network was not
  /// planned for it.
  public let inputGradient: Buffer<Float>?

  private let body: Sequential
  private let output: Buffer<Float>
  private let outputGradient: Buffer<Float>
  /// The floats at the front whose gradient is not worked out, for they and all before them are frozen.
  private let skippedCount: Int
  /// One sample's gradient by its partner's label.
  private let partnerGradient: Buffer<Float>

  /// Plans `model` for `capacity` samples. Throws ``ModelError`` if its layers and the loss do not fit one another, or
  /// need more memory than there is.
  ///
  /// - Parameters:
  ///   - blocks: the number of blocks of the layout's size that the caller makes beside: weights, gradients, moments.
  ///   - precision: the numbers that the factors of products are rounded to.
  ///   - frozen: the patterns of the names of parameters that stay as they are. Each must fit one.
  ///   - needsInputGradient: whether ``inputGradient`` is worked out, for explanations. The first layers may then lose
  ///     their fastest kernel, and round differently.
  public init(
    _ model: Model, loss: any Loss, capacity: Int, blocks: Int = 1, precision: ProductPrecision = .fp32,
    frozen: [Glob] = [], needsInputGradient: Bool = false
  ) throws {
    try requireMemory(for: model, capacity: capacity, blocks: blocks)
    body = try Sequential(
      model.layers, input: model.input, capacity: capacity, needsInputGradient: needsInputGradient)
    guard body.outputShape.count == loss.outputs else {
      throw ModelError(
        "model \(model.name) gives \(body.outputShape.count) outputs, but the task needs \(loss.outputs)")
    }
    guard body.outputShape == loss.outputShape else {
      throw ModelError(
        "model \(model.name) gives outputs of shape \(body.outputShape), but the task needs \(loss.outputShape)")
    }
    inputGradient = needsInputGradient ? Buffer(count: capacity * model.input.count) : nil
    losses.reserveCapacity(Pass.mostMicrobatches)
    self.model = model
    self.loss = loss
    self.capacity = capacity
    self.precision = precision
    layout = try ParameterLayout(body.parameters).freezing(frozen)
    skippedCount = needsInputGradient ? 0 : body.skipFrozenStages(layout)
    output = Buffer(count: capacity * loss.outputs)
    outputGradient = Buffer(count: capacity * loss.outputs)
    partnerGradient = Buffer(count: loss.outputs)
  }

  /// Fills `parameters` with their starting values, which follow from the seed alone.
  public func initialise(_ parameters: Buffer<Float>, seed: UInt64) {
    precondition(parameters.count == layout.count, "\(parameters.count) floats for \(layout.count) parameters")
    for (index, parameter) in layout.parameters.enumerated() {
      parameter.initialiser.fill(parameters[layout.ranges[index]], seed: seed, index: index)
    }
  }

  /// The outputs for `examples` with these weights, [samples, ``Loss/outputs``]; valid until the next pass.
  public func outputs(_ examples: Examples, parameters: Buffer<Float>) -> Buffer<Float> {
    predict(examples, parameters: parameters, Pass(samples: examples.samples, precision: precision))
  }

  /// The loss over `examples` with these weights: forward only.
  public func evaluate(_ examples: Examples, parameters: Buffer<Float>) -> LossSums {
    loss.evaluate(outputs(examples, parameters: parameters), examples, gradient: nil)
  }

  /// The network position by position, for `samples` images at once; nil if it does not predict each of an image's pixels from those before it.
  ///
  /// At each position it takes the pixel before it [samples], which at position 0 is not read, and gives the outputs for the pixel itself.
  public func makeStepper(samples: Int) -> (any Stepper)? {
    // The shift takes the place of the pixel that is not known yet.
    guard model.layers.first(where: { !($0 is any RenamingSpecification) }) is Shift else { return nil }
    return body.makeStepper(samples: samples, positions: model.input.count)
  }

  /// Returns the loss over `examples`, and writes or adds its gradient by the weights, summed over the samples, to
  /// `gradient`. `noise` gives the place in the run.
  ///
  /// - Parameters:
  ///   - microbatch: the samples of a microbatch, if there are several (``PassPlan``). Each has its ``losses``, and their gradients are added in
  ///     the order of the tree. nil if all samples are one microbatch.
  ///   - weights: the version of `parameters`, if there are other passes with the same.
  @discardableResult
  public func differentiate(
    _ examples: Examples, parameters: Buffer<Float>, into gradient: Buffer<Float>, _ accumulation: Accumulation,
    noise: Noise, microbatch: Int? = nil, weights: WeightsVersion? = nil
  ) -> LossSums {
    let pass = Pass(
      samples: examples.samples, noise: noise, microbatch: microbatch, precision: precision, weights: weights)
    let (windows, total) = lossAndWindows(examples, parameters, pass, gradient, accumulation)
    if accumulation == .replace { gradient.prefix(skippedCount).fill(0) }
    flushingDenormals { body.backward(windows, pass) }
    return total
  }

  /// Whether ``differentiate(_:parameters:clippedTo:into:norms:factors:noise:)`` can clip this network's gradients, of these parameters, without
  /// a pass a sample.
  public var clipsSamplesTogether: Bool {
    body.tellsSampleNorms && layout.parameters.allSatisfy { [.weight, .bias].contains($0.role) }
  }

  /// Makes the buffers of ``differentiate(_:parameters:clippedTo:into:norms:factors:noise:)``.
  public func prepareToClipSamples() { body.prepareSampleNorms(capacity: capacity) }

  /// Returns the loss over `examples`, and writes the sum of their gradients, each first scaled down to a norm of at most `clipNorm`:
  /// Σᵢ gᵢ · min(1, c / (‖gᵢ‖ + 10⁻⁶)). It goes forward and backward once, for the norms, and each layer then adds up its samples'
  /// gradients (Bu et al. 2023, arXiv 2210.00038). Only if ``clipsSamplesTogether``, after ``prepareToClipSamples()``.
  ///
  /// Returns nil, with `gradient` undefined, if a sample's norm is not finite: then only passes by sample can tell them apart.
  ///
  /// - Parameters:
  ///   - norms: room for the squared norms, [samples] or more.
  ///   - factors: room for min(1, c / …), [samples] or more.
  public func differentiate(
    _ examples: Examples, parameters: Buffer<Float>, clippedTo clipNorm: Float, into gradient: Buffer<Float>,
    norms: Buffer<Double>, factors: Buffer<Float>, noise: Noise
  ) -> LossSums? {
    let pass = Pass(samples: examples.samples, noise: noise, microbatch: nil, precision: precision)
    let norms = norms.prefix(examples.samples)
    let factors = factors.prefix(examples.samples)
    norms.fill(0)
    let (windows, total) = lossAndWindows(examples, parameters, pass, gradient, .replace)
    flushingDenormals { body.backward(windows, pass, addingSquaredNormsTo: norms) }
    for sample in 0..<examples.samples {
      guard norms[sample].isFinite else { return nil }
      factors[sample] = Float(min(1, Double(clipNorm) / (norms[sample].squareRoot() + 1e-6)))
    }
    flushingDenormals { body.sumSamples(windows, pass, factors: factors) }
    return total
  }

  /// Goes forward; the windows of the way back, and the loss, of which each microbatch's is in ``losses``.
  private func lossAndWindows(
    _ examples: Examples, _ parameters: Buffer<Float>, _ pass: Pass, _ gradient: Buffer<Float>,
    _ accumulation: Accumulation
  ) -> (BackwardWindows, LossSums) {
    let output = predict(examples, parameters: parameters, pass)
    let outputGradient = outputGradient.prefix(output.count)
    losses.removeAll(keepingCapacity: true)
    var total = LossSums()
    for index in pass.microbatches {
      let samples = pass.samples(of: index)
      let window = samples.lowerBound * loss.outputs..<samples.upperBound * loss.outputs
      let sums = loss.evaluateMixed(
        output[window], examples.part(samples), gradient: outputGradient[window], partnerGradient: partnerGradient)
      losses.append(sums)
      total += sums
    }
    let windows = BackwardWindows(
      outputGradient: outputGradient, input: examples.inputs, output: output,
      parameters: ParameterBlock(parameters, layout), inputGradient: inputGradient?.prefix(examples.inputs.count),
      gradient: GradientBlock(gradient, layout, accumulation))
    return (windows, total)
  }

  private func predict(_ examples: Examples, parameters: Buffer<Float>, _ pass: Pass) -> Buffer<Float> {
    precondition(
      examples.samples <= capacity && examples.inputs.count == examples.samples * model.input.count,
      "\(examples.samples) samples of \(examples.inputs.count) floats, planned for \(capacity) of \(model.input)")
    let output = output.prefix(examples.samples * loss.outputs)
    flushingDenormals { body.forward(examples.inputs, ParameterBlock(parameters, layout), into: output, pass) }
    return output
  }

  /// Does `work` as products of bfloat16 want it, if the network has such: with multiply-adds as the processor's own products have them.
  private func flushingDenormals(_ work: () -> Void) {
    guard precision == .bf16 else { return work() }
    let flushed = FlushedDenormals()
    defer { flushed.end() }
    work()
  }
}
