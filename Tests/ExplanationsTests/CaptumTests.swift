import Foundation
import Kernels
import Lockstep
import PeerPython
import Testing

/// Maps of built-in models beside Captum's, of the same weights in PyTorch: `Tests/Peers/captum_maps.py`.
@Suite struct CaptumTests {
  private static let steps = 50
  private static let pictures = [0, 7]

  /// The weights and the maps of the model called `name`, written for the script.
  private static func write(_ name: String, to directory: String) throws {
    useOneBLASThread()
    let model = try Model.named(name, input: [28, 28, 1], outputs: 10)
    let network = try Network(model, loss: SoftmaxCrossEntropy(classes: 10), capacity: 1)
    let parameters = Buffer<Float>(count: network.layout.count)
    network.initialise(parameters, seed: 3)
    Nets.moveAverages(network, parameters)
    _ = try TrainedWeights(network: network, parameters: parameters, state: RunState(step: 1, seed: 0))
      .write(for: .pytorch, safetensors: "\(directory)/\(name).weights.safetensors")

    let explained = try ExplainedNetwork(network, parameters: parameters)
    let test = try ImageDataset.load(directory: ImageDataset.directory(named: "mnist"), part: .test)
    let smooth = SmoothGrad(samples: 4, seed: 1)
    let shapley = ShapleySampling(samples: 3, window: 4, baseline: 0, seed: 2)
    var methods: [(name: String, method: any AttributionMethod)] = [
      ("saliency", Saliency()), ("smoothgrad", smooth), ("shapley", shapley),
      ("occlusion", Occlusion(window: 4, stride: 3, baseline: 0.25)), ("ablation", Occlusion(window: 1, stride: 1)),
    ]
    let rules: [(String, IntegrationRule)] = [
      ("gausslegendre", .gausslegendre), ("riemann_middle", .middle), ("riemann_left", .left),
      ("riemann_right", .right),
    ]
    methods += rules.map { ($0.0, IntegratedGradients(steps: steps, rule: $0.1)) }
    if (try? AttentionRollout().check(explained)) != nil { methods.append(("rollout", AttentionRollout())) }
    let lastConvolution = ["article": "convolution1", "keras-convnet": "convolution2"][name]

    var arrays: [String: [Float]] = [:]
    var targets: [Int64] = []
    for picture in pictures {
      let input = Buffer<Float>(count: 784)
      test.copyInputs(in: picture..<picture + 1, into: input)
      // Not that of the largest output alone.
      let target = (explained.loss.predictedClass(explained.outputs(for: input)) + picture) % 10
      targets.append(Int64(target))
      arrays["inputs", default: []] += input.array
      for copy in 0..<smooth.samples {
        let noisy = Buffer<Float>(count: 784)
        smooth.noisy(input, copy, into: noisy)
        arrays["noisy", default: []] += noisy.array
      }
      for (name, method) in methods {
        arrays[name, default: []] += try method.attribution(of: input, target: target, in: explained).values.array
      }
      if let lastConvolution {
        arrays["grad-cam", default: []] += try GradCAM(layer: lastConvolution, rectifying: false)
          .layerMap(of: input, target: target, in: explained).values.array
      }
    }
    let squares = shapley.squares(of: model.input)
    let count = (squares.max() ?? 0) + 1
    let orders = (0..<shapley.samples).flatMap { shapley.order($0, of: count) }
    var tensors: [any StorableTensor] = arrays.map { name, values in
      NamedTensor(name: name, shape: [pictures.count, values.count / pictures.count], values: Buffer(values))
    }
    tensors += [
      NamedIntegers(name: "targets", shape: [pictures.count], values: Buffer(targets)),
      NamedIntegers(name: "squares", shape: [squares.count], values: Buffer(squares.map(Int64.init))),
      NamedIntegers(name: "orders", shape: [shapley.samples, count], values: Buffer(orders.map(Int64.init))),
    ]
    try SafeTensors.write(tensors, to: "\(directory)/\(name).maps.safetensors")
  }

  @Test func mapsAreCaptums() throws {
    let scratch = try Scratch()
    let models = ["article", "resnet", "lstm", "vit"]
    for name in models { try Self.write(name, to: scratch.path) }
    guard
      let python = try PeerPython(
        "torch", packages: ["torch", "numpy", "safetensors", "captum"],
        modules: ["torch", "safetensors.torch", "captum.attr"])
    else { return }
    let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Peers/captum_maps.py").path
    let result = try python.run([script, scratch.path] + models)
    try #require(result.status == 0, "\(result.output)")
    var compared: [String: Int] = [:]
    for line in result.output.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 4, let difference = Double(words[3]) else { continue }
      #expect(difference < 1e-3, "\(line)")
      compared[String(words[2]), default: 0] += 1
    }
    let all = models.count * Self.pictures.count
    #expect(compared.count == 11, "\(result.output)")
    for method in ["saliency", "smoothgrad", "gausslegendre", "occlusion", "shapley"] {
      #expect(compared[method] == all, "\(method): \(result.output)")
    }
    for method in ["riemann_middle", "riemann_left", "riemann_right", "ablation"] {
      #expect(compared[method] == all / 2, "\(method): \(result.output)")
    }
    #expect(compared["grad-cam"] == Self.pictures.count && compared["rollout"] == Self.pictures.count)
  }
}
