import Synchronization

/// What a user sets, as error lines name it: by its property, or, in a program that says so, by its flag.
///
///     "give \(Setting.microbatch) 4 or less"     // give microbatch 4 or less; in `lockstep`: give --microbatch 4 or less
public enum Setting: String, Sendable, CaseIterable, CustomStringConvertible {
  case data, model, task, epochs, globalBatch, microbatch, warmup, clipNorm, sampleClipNorm, reduction
  case learningRate, momentum, isNesterov, weightDecay
  case sharesMemory, shardsOptimizer, onNonFinite, nonFiniteLimit
  case directory, keep, resume, maxSteps, maxTime

  private static let haveFlags = Atomic<Bool>(false)

  /// Makes lines name flags from here on: for a program whose flags these are, at its start.
  public static func nameFlags() { haveFlags.store(true, ordering: .relaxed) }

  /// The flag by which the program sets it: `--global-batch`. Of ``sharesMemory`` the one that turns it off.
  public var flag: String {
    switch self {
    case .directory: "--run-dir"
    case .isNesterov: "--nesterov"
    case .sharesMemory: "--no-shared-memory"
    case .shardsOptimizer: "--optimizer-sharding"
    case .onNonFinite: "--on-nonfinite"
    case .nonFiniteLimit: "--nonfinite-limit"
    default: "--" + rawValue.map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }.joined()
    }
  }

  /// `globalBatch`, or `--global-batch`.
  public var description: String { Self.haveFlags.load(ordering: .relaxed) ? flag : rawValue }
}
