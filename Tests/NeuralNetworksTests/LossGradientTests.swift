import NeuralNetworks
import Tensors
import Testing

/// The losses' gradients against central differences of the losses themselves, as ``GradientOracle`` takes them.
@Suite struct LossGradientTests {
  private func check(_ loss: any Loss, labels: [Int32]) {
    check(loss, Examples(inputs: Buffer(count: labels.count), labels: Buffer(labels)))
  }

  private func check(_ loss: any Loss, _ examples: Examples) {
    let output = noise(examples.samples * loss.outputs, seed: 1)
    for k in 0..<output.count { output[k] *= 3 }
    let gradient = Buffer<Float>(count: output.count)
    gradient.fill(.nan)
    let partner = Buffer<Float>(count: loss.outputs)
    let sums = loss.evaluateMixed(output, examples, gradient: gradient, partnerGradient: partner)
    #expect(sums == loss.evaluateMixed(output, examples, gradient: nil, partnerGradient: partner))
    #expect(sums.samples == examples.samples)
    func value(_ index: Int, _ steps: Float) -> Double {
      let held = output[index]
      defer { output[index] = held }
      output[index] += steps * GradientOracle.step
      return loss.evaluateMixed(output, examples, gradient: nil, partnerGradient: partner).loss
    }
    for k in 0..<output.count {
      let difference = 8 * (value(k, 1) - value(k, -1)) - (value(k, 2) - value(k, -2))
      let expected = difference / (12 * Double(GradientOracle.step))
      // A sample's loss is below 8, its rounding 5·10⁻⁷, and 16/12h of that is left.
      #expect(abs(Double(gradient[k]) - expected) < 5e-5, "logit \(k)")
    }
  }

  @Test(arguments: [2, 3, 10])
  func softmaxCrossEntropy(classes: Int) {
    check(SoftmaxCrossEntropy(classes: classes), labels: (0..<7).map { Int32($0 % classes) })
  }

  /// Labels from any start: the gradient is that of labels from 0.
  @Test(arguments: [-3, 1, 200, 70_000])
  func softmaxCrossEntropyOfLabelsFromElsewhere(first: Int32) {
    let labels: [Int32] = [0, 25, 3, 3, 17]
    check(SoftmaxCrossEntropy(classes: 26, firstLabel: Int(first)), labels: labels.map { $0 + first })
    let (output, inputs) = (noise(labels.count * 26, seed: 2), Buffer<Float>(count: labels.count))
    let (here, there) = (Buffer<Float>(count: output.count), Buffer<Float>(count: output.count))
    let sums = SoftmaxCrossEntropy(classes: 26).evaluate(
      output, Examples(inputs: inputs, labels: Buffer(labels)), gradient: here)
    let moved = SoftmaxCrossEntropy(classes: 26, firstLabel: Int(first)).evaluate(
      output, Examples(inputs: inputs, labels: Buffer(labels.map { $0 + first })), gradient: there)
    #expect(sums == moved && here.array == there.array)
  }

  /// One class is always right, and nothing is learnt.
  @Test func oneClass() {
    check(SoftmaxCrossEntropy(classes: 1, firstLabel: 7), labels: [7, 7])
    let sums = SoftmaxCrossEntropy(classes: 1, firstLabel: 7).evaluate(
      Buffer([3, -3] as [Float]), Examples(inputs: Buffer(count: 2), labels: Buffer([7, 7])), gradient: nil)
    #expect(sums.loss == 0 && sums.correct == 2)
  }

  @Test func sigmoidCrossEntropy() { check(SigmoidCrossEntropy(positive: 3), labels: [3, 0, 3, 9, 2, 3]) }

  /// Weights and smoothing, apart and together.
  private static func weightings(_ classes: Int) throws -> [ClassWeighting] {
    // Below 1, so that a sample's loss stays as small as the tolerance supposes.
    let weights = (0..<classes).map { 0.2 + 0.7 * Float($0) / Float(classes) }
    return try [(weights, 0), (nil, 0.1), (weights, 0.3), (nil, 1)].compactMap {
      try ClassWeighting(weights: $0, smoothing: $1, classes: classes)
    }
  }

  @Test func weightedAndSmoothed() throws {
    for classes in [2, 3, 10] {
      for weighting in try Self.weightings(classes) {
        check(
          SoftmaxCrossEntropy(classes: classes, firstLabel: 1, weighting: weighting),
          labels: (0..<7).map { Int32(1 + $0 % classes) })
      }
    }
    for weighting in try Self.weightings(2) {
      check(SigmoidCrossEntropy(positive: 3, weighting: weighting), labels: [3, 0, 3, 9, 2, 3])
    }
  }

  /// One logit z is a softmax over the logits 0 and z, weighted and smoothed or not.
  @Test func aSigmoidIsASoftmaxOfTwo() throws {
    let (logits, labels) = (noise(6, seed: 7), [1, 0, 1, 0, 0, 1] as [Int32])
    let pairs = Buffer<Float>(count: 12)
    for sample in 0..<6 { pairs[2 * sample + 1] = logits[sample] }
    let examples = Examples(inputs: Buffer(count: 6), labels: Buffer(labels))
    for weighting in try [nil] + Self.weightings(2) {
      let (one, two) = (Buffer<Float>(count: 6), Buffer<Float>(count: 12))
      let sigmoid = SigmoidCrossEntropy(positive: 1, weighting: weighting).evaluate(logits, examples, gradient: one)
      let softmax = SoftmaxCrossEntropy(classes: 2, weighting: weighting).evaluate(pairs, examples, gradient: two)
      #expect(abs(sigmoid.loss - softmax.loss) < 1e-5)
      for sample in 0..<6 { #expect(abs(one[sample] - two[2 * sample + 1]) < 1e-6) }
    }
  }

  /// Targets of two classes; the same with others' classes and shares exchanged, and without a partner's where its share is nothing.
  @Test func mixed() throws {
    let (own, partners): ([Int32], [Int32]) = ([1, 3, 2, 1, 3, 3], [3, 3, 1, 2, 1, 2])
    let shares: [Float] = [0.25, 0.7, 0.5, 1, 0, 0.875]
    var examples = Examples(inputs: Buffer(count: 6), labels: Buffer(own))
    examples.mixture = Examples.Mixture(labels: Buffer(partners), shares: Buffer(shares))
    var exchanged = Examples(inputs: Buffer(count: 6), labels: Buffer(partners))
    exchanged.mixture = Examples.Mixture(labels: Buffer(own), shares: Buffer(shares.map { 1 - $0 }))
    for loss in try ([nil] + Self.weightings(3)).map({ SoftmaxCrossEntropy(classes: 3, firstLabel: 1, weighting: $0) })
      + ([nil] + Self.weightings(2)).map({ SigmoidCrossEntropy(positive: 3, weighting: $0) }) as [any ClassLoss]
    {
      check(loss, examples)
      let output = noise(6 * loss.outputs, seed: 8)
      let partner = Buffer<Float>(count: loss.outputs)
      let sums = [examples, exchanged].map {
        loss.evaluateMixed(output, $0, gradient: nil, partnerGradient: partner)
      }
      #expect(abs(sums[0].loss - sums[1].loss) < 1e-5)
      // By the label of the larger share, its own where both are half.
      let larger = Examples(inputs: Buffer(count: 6), labels: Buffer([3, 3, 2, 1, 1, 3]))
      #expect(sums[0].correct == loss.evaluate(output, larger, gradient: nil).correct)
      // Both are one class of two, and the logits say the first sample's.
      var halves = Examples(inputs: Buffer(count: 1), labels: Buffer([3]))
      halves.mixture = Examples.Mixture(labels: Buffer([1]), shares: Buffer([0.5]))
      let sure = Buffer((0..<loss.outputs).map { $0 == loss.outputs - 1 ? 9 : -9 } as [Float])
      #expect(loss.evaluateMixed(sure, halves, gradient: nil, partnerGradient: partner).correct == 1)
      // A part has its own partners, and a whole share is the sample by itself, to the bit.
      let (mixed, plain) = (Buffer<Float>(count: loss.outputs), Buffer<Float>(count: loss.outputs))
      let alone = Examples(inputs: Buffer(count: 1), labels: Buffer([own[3]]))
      let row = output[3 * loss.outputs..<4 * loss.outputs]
      let one = loss.evaluateMixed(row, examples.part(3..<4), gradient: mixed, partnerGradient: partner)
      #expect(one == loss.evaluate(row, alone, gradient: plain) && bits(mixed) == bits(plain))
    }
  }

  @Test func weightingsThatCannotBe() throws {
    #expect(try ClassWeighting(classes: 3) == nil && ClassWeighting(smoothing: 0, classes: 3) == nil)
    for (weights, smoothing) in [
      ([1, 2], 0), ([1, 2, 3, 4], 0), ([1, 2, -1], 0), ([1, 2, .nan], 0), ([1, .infinity, 1], 0), ([0, 0, 0], 0),
      (nil, -0.1), (nil, 1.1), (nil, .nan),
    ] as [([Float]?, Float)] {
      #expect(throws: ModelError.self) { try ClassWeighting(weights: weights, smoothing: smoothing, classes: 3) }
    }
    #expect(ClassWeighting.balanced([1, 3, 0, 4]) == [Float(8.0 / 3), Float(8.0 / 9), 1, Float(8.0 / 12)])
    let weighting = try #require(try ClassWeighting(weights: [1, 0.1, 3], smoothing: 0.25, classes: 3))
    #expect(
      weighting.settings.map { "\($0.key) \($0.value)" } == ["class_weights 1.0,0.1,3.0", "label_smoothing 0.25"])
  }

  private func valued(_ values: Buffer<Float>, samples: Int) -> Examples {
    Examples(samples: samples, inputs: Buffer(count: samples), labels: Buffer(count: 0), values: values)
  }

  @Test(arguments: [1, 3])
  func meanSquaredError(outputs: Int) {
    check(MeanSquaredError(outputs: outputs), valued(noise(5 * outputs, seed: 4), samples: 5))
  }

  @Test(arguments: [(2, [4, 6, 2]), (4, [8, 4, 2]), (1, [1, 3, 2])])
  func hiddenPatchError(size: Int, input: [Int]) throws {
    let loss = try HiddenPatchError(input: Shape(input), size: size)
    #expect(loss.outputShape == [loss.outputs / size / size, size * size] && loss.targetValues == 2 * loss.outputs)
    check(loss, valued(hiding(noise(3 * loss.targetValues, seed: 6)), samples: 3))
  }

  /// A pixel that can be seen is of no account, nor is a sample of which all can be.
  @Test func onlyHiddenPixelsCount() throws {
    let loss = try HiddenPatchError(input: [2, 2, 2], size: 2)
    let values = Buffer([1, 0, 2, 1, 3, 0, 4, 1, 5, 0, 6, 0, 7, 0, 8, 0] as [Float])
    let gradient = Buffer<Float>(count: 8)
    gradient.fill(.nan)
    let sums = loss.evaluate(
      Buffer([9, 3, .nan, 6, 9, 9, 9, 9] as [Float]), valued(values, samples: 2), gradient: gradient)
    #expect(sums == LossSums(loss: (1 + 4) / 2, samples: 2))
    #expect(gradient.array == [0, 1, 0, 2, 0, 0, 0, 0])
    for shape in [[2, 2], [2, 2, 1], [3, 2, 2], [0, 2, 2]] as [Shape] {
      #expect(throws: ModelError.self) { try HiddenPatchError(input: shape, size: 2) }
    }
  }

  /// The loss is a sum over pixels: nats an image.
  @Test func pixelLosses() {
    let values = Buffer([1, 0, 0, 1, 1, 1, 0, 1] as [Float])
    let images = Examples(samples: 2, inputs: values, labels: Buffer(count: 0), values: values)
    check(PixelSigmoidCrossEntropy(pixels: 4), images)
    check(PixelSoftmaxCrossEntropy(pixels: 4), images)
    check(PixelSoftmaxCrossEntropy(pixels: 4, levels: 5), images)
    for loss in [PixelSigmoidCrossEntropy(pixels: 4), PixelSoftmaxCrossEntropy(pixels: 4)] as [any PixelLoss] {
      let sums = loss.evaluate(Buffer(count: 2 * loss.outputs), images, gradient: nil)
      #expect(abs(sums.meanLoss - 4 * 0.6931472) < 1e-5 && sums.samples == 2 && sums.correct == 0)
      #expect(!loss.countsCorrect && loss.targetValues == 4 && loss.unit == "nats an image")
    }
  }

  /// The value at a number below its probability is drawn; a higher temperature brings probabilities together.
  @Test func draws() {
    let sigmoid = PixelSigmoidCrossEntropy(pixels: 1)
    let two = PixelSoftmaxCrossEntropy(pixels: 1)
    // Probabilities of 1: 3/4 at temperature 1, and √3 / (1 + √3) = 0.634 at 2.
    let logit = Float(1.0986123)
    for (temperature, uniform, drawn) in [
      (1, 0.749, 1), (1, 0.751, 0), (2, 0.633, 1), (2, 0.635, 0), (0, 0.999, 1),
    ] as [(Float, Float, Float)] {
      #expect(sigmoid.draw(Buffer([logit]), temperature: temperature, uniform: uniform) == drawn)
      #expect(two.draw(Buffer([-5, logit - 5]), temperature: temperature, uniform: uniform) == drawn)
    }
    #expect(sigmoid.draw(Buffer([-1]), temperature: 0, uniform: 0) == 0)
    let three = PixelSoftmaxCrossEntropy(pixels: 1, levels: 3)
    // Probabilities 1/4, 1/2, 1/4.
    let logits = Buffer([0, 0.6931472, 0] as [Float])
    #expect([0.1, 0.26, 0.74, 0.76].map { three.draw(logits, temperature: 1, uniform: $0) } == [2, 1, 1, 0])
    #expect(three.draw(logits, temperature: 0, uniform: 0) == 1)
  }

  /// The mean is over a sample's outputs, the sum over samples; and no sample is a hit.
  @Test func squaresAreAveragedOverOutputsAndSummedOverSamples() {
    let gradient = Buffer<Float>(count: 4)
    let sums = MeanSquaredError(outputs: 2).evaluate(
      Buffer([1, 5, 0, -3] as [Float]), valued(Buffer([0, 2, 0, 1] as [Float]), samples: 2), gradient: gradient)
    #expect(sums == LossSums(loss: (1 + 9) / 2 + (0 + 16) / 2, correct: 0, samples: 2))
    #expect(gradient.array == [1, 3, 0, -4])
  }

  @Test func hitsAreCounted() {
    let softmax = SoftmaxCrossEntropy(classes: 3)
    // On a tie the first is the answer.
    let sums = softmax.evaluate(
      Buffer([0, 2, 1, 1, 1, 0, 0, 0, 5, -1, -2, -3] as [Float]),
      Examples(inputs: Buffer(count: 4), labels: Buffer([1, 1, 2, 0])), gradient: nil)
    #expect(sums.correct == 3)
    // Above 0, not at it, is positive: Keras' threshold.
    let binary = SigmoidCrossEntropy(positive: 1).evaluate(
      Buffer([0.1, -0.1, 0, 3] as [Float]),
      Examples(inputs: Buffer(count: 4), labels: Buffer([1, 0, 0, 7])), gradient: nil)
    #expect(binary.correct == 3)
  }

  /// A logit far out costs its distance, neither more nor NaN.
  @Test func farLogits() {
    let examples = Examples(inputs: Buffer(count: 2), labels: Buffer([0, 1]))
    let gradient = Buffer<Float>(count: 4)
    let softmax = SoftmaxCrossEntropy(classes: 2)
      .evaluate(Buffer([1e4, -1e4, 1e4, -1e4] as [Float]), examples, gradient: gradient)
    #expect(softmax.loss == 2e4)
    #expect(gradient.array == [0, 0, 1, -1])
    let binary = SigmoidCrossEntropy(positive: 0)
      .evaluate(Buffer([-1e4, 1e4] as [Float]), examples, gradient: gradient.prefix(2))
    #expect(binary.loss == 2e4)
    #expect(gradient.array.prefix(2) == [-1, 1])
  }

  /// A network that has diverged shows it in its loss.
  @Test(arguments: [Float.nan, .infinity])
  func brokenLogitsShow(value: Float) {
    let examples = Examples(inputs: Buffer(count: 1), labels: Buffer([1]))
    #expect(
      !SoftmaxCrossEntropy(classes: 3).evaluate(Buffer([0, 1, value]), examples, gradient: nil).loss.isFinite)
    #expect(!SigmoidCrossEntropy(positive: 0).evaluate(Buffer([value]), examples, gradient: nil).loss.isFinite)
    let values = valued(Buffer([1]), samples: 1)
    #expect(!MeanSquaredError(outputs: 1).evaluate(Buffer([value]), values, gradient: nil).loss.isFinite)
  }
}
