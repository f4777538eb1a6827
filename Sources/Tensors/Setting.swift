import Synchronization

/// A setting of a run, as error lines name it: by its property or, in a program that asks for it, by its flag.
///
///     "give \(Setting.microbatch) 4 or less"     // give microbatch 4 or less, or give --microbatch 4 or less
public enum Setting: String, Sendable, CaseIterable, CustomStringConvertible {
  case data, input, model, task, epochs, globalBatch, microbatch, warmup, clipNorm, sampleClipNorm, reduction
  case learningRate, momentum, isNesterov, weightDecay
  case sharesMemory, shardsOptimizer, onNonFinite, nonFiniteLimit
  case directory, keep, resume, maxSteps, maxTime, trace
  case augmentation, validation, subset, labels, initialWeights, frozen, ema, rateScaling, earlyStopping, savesBest
  case searchSteps
  case epsilon, delta, noiseMultiplier
  case testData, testFraction, target, ignored, missing, classWeights, labelSmoothing

  private static let haveFlags = Atomic<Bool>(false)

  /// Makes error lines name flags from now on. Called at its start by a program that has these flags.
  public static func nameFlags() { haveFlags.store(true, ordering: .relaxed) }

  /// The program's flag for it: `--global-batch`. For ``sharesMemory`` it is the flag that turns it off.
  public var flag: String {
    switch self {
    case .directory: "--run-dir"
    case .ignored: "--ignore"
    case .isNesterov: "--nesterov"
    case .augmentation: "--augment"
    case .initialWeights: "--init-from"
    case .frozen: "--freeze"
    case .rateScaling: "--scale-learning-rate"
    case .savesBest: "--save-best"
    case .searchSteps: "--steps"
    case .sharesMemory: "--no-shared-memory"
    case .shardsOptimizer: "--optimizer-sharding"
    case .onNonFinite: "--on-nonfinite"
    case .nonFiniteLimit: "--nonfinite-limit"
    default: "--" + rawValue.map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }.joined()
    }
  }

  /// `globalBatch`, or `--global-batch` after ``nameFlags()``.
  public var description: String { Self.haveFlags.load(ordering: .relaxed) ? flag : rawValue }
}
