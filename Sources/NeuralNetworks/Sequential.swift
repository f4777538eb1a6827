import Tensors

/// Layers one after another: itself a layer, so that blocks nest.
///
/// It holds the activations between its layers, and their gradients. The first layer reads the caller's input, and the
/// last one writes the caller's output.
public final class Sequential: Layer {
  private struct Stage {
    let layer: any Layer
    let description: StageDescription
    /// The layout of its parameters.
    let layout: ParameterLayout
    /// The place in this container's block where they begin.
    let start: Int
    /// The floats of one sample's output.
    let outputCount: Int
    let needsInputGradient: Bool
    /// The places of the stages before it (``Pass``).
    let placesBefore: Int
    /// Its output and the gradient of that, [capacity, output shape]; nil for the last stage, whose are the caller's.
    let output: Buffer<Float>?
    let outputGradient: Buffer<Float>?
    /// What passes of less than single precision round for it; nil if it has no products.
    let factors: RoundedFactors?
  }

  /// The shape of one sample's input.
  public let inputShape: Shape
  /// The shape of one sample's output.
  public let outputShape: Shape
  public let parameters: [ParameterSpecification]
  public let placeCount: Int
  /// The floating-point operations of training on one sample.
  var trainingOperations: Int { stages.reduce(0) { $0 + $1.description.trainingOperations } }
  /// The stages that the planning pass made of the layers.
  var stageDescriptions: [StageDescription] { stages.map(\.description) }
  /// A listener to the stages' work.
  var stageObserver: (any StageObserver)?
  private let stages: [Stage]
  /// The last layer, if it can add a residual.
  private let last: (any ResidualAdding)?
  /// Whether ``forward(_:_:residual:into:_:)`` takes a residual.
  var addsResidual: Bool { last != nil }
  /// The first layer, if it can add a residual's gradient.
  private let first: (any ResidualGradientAdding)?
  /// Whether ``backward(_:adding:_:)`` takes a residual's gradient.
  var addsResidualGradient: Bool { first != nil && firstLearningStage == 0 }
  /// The first stage that a gradient is worked out for: those before it have nothing to learn.
  private var firstLearningStage = 0

  /// Plans `layers` for up to `capacity` samples of shape `input`: fuses layers that one kernel does, drops those that
  /// only rename a shape, and makes every buffer. Throws ``ModelError`` if a layer cannot take the output of the one
  /// before it.
  public init(
    _ layers: [any LayerSpecification], input: Shape, capacity: Int, needsInputGradient: Bool = false
  ) throws {
    var shape = input
    var stages: [Stage] = []
    var parameters: [ParameterSpecification] = []
    var (offset, places) = (0, 0)
    var kinds: [String: Int] = [:]
    let planned = try fusingNeighbours(of: layers, input: input, needsInputGradient: needsInputGradient)
    let stageCount = planned.count { !($0 is any RenamingSpecification) }
    precondition(stageCount > 0, "a network of no layers")
    for specification in planned {
      let output = try specification.outputShape(for: shape)
      defer { shape = output }
      // The memory stays as it is; what follows sees the new shape.
      if specification is any RenamingSpecification { continue }
      let needsInputGradient = needsInputGradient || !parameters.isEmpty
      let layer = try specification.makeLayer(input: shape, capacity: capacity, needsInputGradient: needsInputGradient)
      let layout = ParameterLayout(layer.parameters)
      if !layer.parameters.isEmpty {
        kinds[specification.kind, default: 0] += 1
        for parameter in layer.parameters {
          var named = parameter
          named.name = "\(specification.kind)\(kinds[specification.kind, default: 1]).\(parameter.name)"
          parameters.append(named)
        }
      }
      let isLast = stages.count == stageCount - 1
      let description = StageDescription(
        name: specification.kind + (kinds[specification.kind].map { "\($0)" } ?? ""), input: shape, output: output,
        trainingOperations: specification.trainingOperations(for: shape, needsInputGradient: needsInputGradient),
        parameterCount: layout.parameters.reduce(0) { $0 + $1.shape.count })
      stages.append(
        Stage(
          layer: layer, description: description, layout: layout, start: offset, outputCount: output.count,
          needsInputGradient: needsInputGradient, placesBefore: places,
          output: isLast ? nil : Buffer(count: capacity * output.count),
          outputGradient: isLast ? nil : Buffer(count: capacity * output.count),
          factors: layer.roundsFactors
            ? RoundedFactors(layout, capacity: capacity, inputCount: shape.count, outputCount: output.count) : nil))
      offset += layout.count
      places += layer.placeCount
    }
    self.inputShape = input
    self.outputShape = shape
    self.parameters = parameters
    self.stages = stages
    last = stages.last?.layer as? any ResidualAdding
    first = stages.first?.layer as? any ResidualGradientAdding
    placeCount = places + 1
  }

  /// Works out no gradient for the first stages, as far as all of their parameters are frozen in `layout`, this container's.
  ///
  /// - Returns: the floats of their parameters, whose gradient ``backward(_:_:)`` no longer writes.
  func skipFrozenStages(_ layout: ParameterLayout) -> Int {
    var place = 0
    for (index, stage) in stages.enumerated() {
      let own = layout.parameters[place..<place + stage.layout.parameters.count]
      firstLearningStage = index
      if own.contains(where: { $0.role != .frozen }) { return stage.start }
      place = own.endIndex
    }
    return layout.count
  }

  public func forward(
    _ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass
  ) {
    forward(input, parameters, residual: nil, into: output, pass)
  }

  /// Goes forward; `residual` is for the last layer to add, and nil unless ``addsResidual``.
  func forward(
    _ input: Buffer<Float>, _ parameters: ParameterBlock, residual: Buffer<Float>?, into output: Buffer<Float>,
    _ pass: Pass
  ) {
    precondition(residual == nil || addsResidual, "a residual for a last layer that adds none")
    var current = input
    stageObserver?.begin()
    // By their places: a stage in a variable of its own would be copied, and each of its references counted.
    for index in stages.indices {
      let next = stages[index].output?.prefix(pass.samples * stages[index].outputCount) ?? output
      var own = parameters.part(from: stages[index].start, stages[index].layout)
      if pass.precision == .bf16, let factors = stages[index].factors {
        (current, own) = (factors.round(input: current), factors.round(own, pass))
      }
      let inner = pass.entering(after: stages[index].placesBefore)
      if let residual, let last, index == stages.count - 1 {
        last.forward(current, own, residual: residual, into: next, inner)
      } else {
        stages[index].layer.forward(current, own, into: next, inner)
      }
      stageObserver?.endForward(stage: index)
      current = next
    }
  }

  public func makeStepper(samples: Int, positions: Int) -> (any Stepper)? {
    var steppers: [SequentialStepper.Stage] = []
    for stage in stages {
      guard stage.outputCount % positions == 0,
        let stepper = stage.layer.makeStepper(samples: samples, positions: positions)
      else { return nil }
      steppers.append(
        SequentialStepper.Stage(
          stepper: stepper, layout: stage.layout, start: stage.start,
          output: Buffer(count: samples * stage.outputCount / positions)))
    }
    return SequentialStepper(steppers)
  }

  public func backward(_ windows: BackwardWindows, _ pass: Pass) { backward(windows, adding: nil, pass) }

  /// Goes backward; `residualGradient` is for the first layer to add to the input's gradient, and nil unless ``addsResidualGradient``.
  func backward(_ windows: BackwardWindows, adding residualGradient: Buffer<Float>?, _ pass: Pass) {
    precondition(
      residualGradient == nil || addsResidualGradient, "a residual's gradient for a first layer that adds none")
    stageObserver?.begin()
    forEachStageBackward(windows, pass) { index, layer, windows, pass in
      if index == 0, let residualGradient, let first {
        first.backward(windows, adding: residualGradient, pass)
      } else {
        layer.backward(windows, pass)
      }
      stageObserver?.endBackward(stage: index)
    }
  }

  /// Calls `body` for each stage that a gradient is worked out for, the last one first, with its windows and its pass.
  private func forEachStageBackward(
    _ windows: BackwardWindows, _ pass: Pass, _ body: (Int, any Layer, BackwardWindows, Pass) -> Void
  ) {
    var currentGradient = windows.outputGradient
    var current = windows.output
    for index in stages.indices.reversed() {
      var (before, beforeGradient) = (windows.input, windows.inputGradient)
      if index > 0 {
        let count = pass.samples * stages[index - 1].outputCount
        before = stages[index - 1].output?.prefix(count) ?? before
        beforeGradient = stages[index - 1].outputGradient?.prefix(count)
      }
      let needsInputGradient = stages[index].needsInputGradient
      var own = BackwardWindows(
        outputGradient: currentGradient, input: before, output: current,
        parameters: windows.parameters.part(from: stages[index].start, stages[index].layout),
        inputGradient: needsInputGradient ? beforeGradient : nil,
        gradient: windows.gradient.part(from: stages[index].start, stages[index].layout))
      if pass.precision == .bf16, let factors = stages[index].factors {
        own = factors.round(own, isShared: index == stages.count - 1)
      }
      body(index, stages[index].layer, own, pass.entering(after: stages[index].placesBefore))
      guard index > firstLearningStage, needsInputGradient, let beforeGradient else { return }
      current = before
      currentGradient = beforeGradient
    }
  }
}

extension Sequential {
  /// Whether every layer that learns tells how long each sample's gradient is.
  var tellsSampleNorms: Bool {
    stages.allSatisfy { stage in
      stage.layer.parameters.isEmpty
        || (stage.layer is any SampleNorms && stage.layer.parameters.allSatisfy { [.weight, .bias].contains($0.role) })
    }
  }

  /// See ``SampleNorms/prepareSampleNorms(capacity:)``.
  func prepareSampleNorms(capacity: Int) {
    for stage in stages { (stage.layer as? any SampleNorms)?.prepareSampleNorms(capacity: capacity) }
  }

  /// Goes backward, and adds the squared norm of each sample's gradient to `norms` [samples]. Only if it ``tellsSampleNorms``, and is
  /// prepared; the content of `windows.gradient` is undefined afterwards.
  func backward(_ windows: BackwardWindows, _ pass: Pass, addingSquaredNormsTo norms: Buffer<Double>) {
    forEachStageBackward(windows, pass) { _, layer, windows, pass in
      if let layer = layer as? any SampleNorms {
        layer.backward(windows, pass, addingSquaredNormsTo: norms)
      } else {
        layer.backward(windows, pass)
      }
    }
  }

  /// Writes the sum of the samples' gradients of the parameters, times `factors`. Follows ``backward(_:_:addingSquaredNormsTo:)``.
  func sumSamples(_ windows: BackwardWindows, _ pass: Pass, factors: Buffer<Float>) {
    forEachStageBackward(windows, pass) { _, layer, windows, pass in
      (layer as? any SampleNorms)?.sumSamples(windows, pass, factors: factors)
    }
  }
}
