import ArgumentParser
import Lockstep

/// The options that choose methods of explanation.
struct ExplanationOptions: ParsableArguments {
  /// The methods by name.
  enum Method: String, CaseIterable {
    case saliency
    case smoothgrad
    case integratedGradients = "integrated-gradients"
    case gradCAM = "grad-cam"
    case occlusion
    case shapley
    case rollout
  }

  @Option(
    help: ArgumentHelp(
      """
      The methods: \(Method.allCases.map(\.rawValue).joined(separator: ", ")), with commas, or all that fit the model.
      """, valueName: "names"))
  var methods = Method.integratedGradients.rawValue

  @Option(help: "The class that is explained, by its name. (default: the class that the picture is taken for)")
  var target: String?

  @Option(help: "The number of that class: its logit or its probability.")
  var of = ExplainedNetwork.Score.logit

  @Option(parsing: .unconditional, help: "The value of a pixel that is not there: MNIST's background is 0.")
  var baseline: Float = 0

  @Option(help: "integrated-gradients: the places between baseline and picture whose slope is taken.")
  var steps = 200

  @Option(help: "integrated-gradients: the rule by which they are chosen.")
  var rule = IntegrationRule.gausslegendre

  @Option(help: "smoothgrad: the noisy copies (default: 50); shapley: the orders (default: 25).")
  var samples: Int?

  @Option(help: "smoothgrad: the noise's standard deviation, as a part of the picture's range.")
  var noise = 0.15

  @Option(help: "occlusion and shapley: the side of a square that is covered or given at once.")
  var window = 4

  @Option(help: "occlusion: the pixels from one square to the next. (default: half of the window)")
  var stride: Int?

  @Option(help: "grad-cam: the layer, such as convolution2. (default: the last convolution)")
  var layer: String?

  @Option(parsing: .unconditional, help: "What the noise and the orders follow from.")
  var seed: UInt64 = 0

  /// The most steps or samples: each is a pass of the network.
  private static let most = 100_000

  func validate() throws {
    _ = try chosen()
    guard (1...Self.most).contains(steps) else {
      throw ValidationError("--steps \(steps) is not in 1 to \(grouped(Self.most))")
    }
    if let samples, !(1...Self.most).contains(samples) {
      throw ValidationError("--samples \(samples) is not in 1 to \(grouped(Self.most))")
    }
    guard noise >= 0, noise.isFinite else { throw ValidationError("--noise \(noise) is not a number from 0 on") }
    guard baseline.isFinite else { throw ValidationError("--baseline \(baseline) is not a number") }
    guard (1...1000).contains(window) else { throw ValidationError("--window \(window) is not in 1 to 1,000") }
    if let stride, !(1...window).contains(stride) {
      throw ValidationError("--stride \(stride) is not in 1 to \(window), the window")
    }
  }

  /// The methods that are named; nil for all that fit.
  private func chosen() throws -> [Method]? {
    guard methods != "all" else { return nil }
    let chosen = try methods.split(separator: ",", omittingEmptySubsequences: false).map { name in
      guard let method = Method(rawValue: String(name)) else {
        throw ValidationError(
          "--methods \(escaped(methods)): there is no \(quoted(String(name))); there are "
            + Method.allCases.map(\.rawValue).joined(separator: ", ") + ", and all")
      }
      return method
    }
    guard Set(chosen).count == chosen.count else {
      throw ValidationError("--methods \(escaped(methods)) names a method twice")
    }
    return chosen
  }

  /// The methods for `network`. Throws with 64 if one that is named does not fit it.
  func attributionMethods(for network: ExplainedNetwork) throws -> [any AttributionMethod] {
    do {
      guard let chosen = try chosen() else {
        return Method.allCases.map(method).filter { (try? $0.check(network)) != nil }
      }
      let methods = chosen.map(method)
      for method in methods { try method.check(network) }
      return methods
    } catch {
      throw TrainingError(error)
    }
  }

  private func method(_ method: Method) -> any AttributionMethod {
    switch method {
    case .saliency: Saliency()
    case .smoothgrad: SmoothGrad(samples: samples ?? 50, noise: noise, seed: seed)
    case .integratedGradients: IntegratedGradients(steps: steps, rule: rule, baseline: baseline)
    case .gradCAM: GradCAM(layer: layer)
    case .occlusion: Occlusion(window: window, stride: stride ?? max(1, window / 2), baseline: baseline)
    case .shapley: ShapleySampling(samples: samples ?? 25, window: window, baseline: baseline, seed: seed)
    case .rollout: AttentionRollout()
    }
  }

  /// The index of the class that is asked for; nil for that which a picture is taken for. Throws with 64 if there is no such class.
  func targetClass(of loss: any ClassLoss) throws -> Int? {
    guard let target else { return nil }
    let names = (0..<loss.classes).map { loss.name(of: $0) }
    guard let index = names.firstIndex(where: { ExactText($0) == ExactText(target) }) else {
      throw TrainingError(
        .usage,
        "--target \(escaped(target)) is none of the model's classes: \(names.prefix(40).map { escaped($0) }.joined(separator: ", "))"
      )
    }
    return index
  }

  /// What every rank must have alike.
  var facts: [(name: String, value: String)] {
    [
      ("methods", methods), ("target", target ?? ""), ("of", of.rawValue), ("baseline", "\(baseline)"),
      ("steps", "\(steps)"), ("rule", rule.rawValue), ("samples", samples.map { "\($0)" } ?? ""), ("noise", "\(noise)"),
      ("window", "\(window)"), ("stride", stride.map { "\($0)" } ?? ""), ("layer", layer ?? ""), ("seed", "\(seed)"),
    ]
  }
}

extension ExplainedNetwork.Score: ExpressibleByArgument {}

extension IntegrationRule: ExpressibleByArgument {}
