import Glibc

/// The factor of the learning rate at each step of a run. It depends on the step's number alone, so it is the same on
/// every rank and after a resume.
///
/// With w steps of warm-up and T steps in all, the factor of step t (from 1) is
///
///     t ≤ w       t / w                               up in a straight line
///     constant    1
///     cosine      ½ · (1 + cos(π · (t − 1 − w) / (T − w)))   Loshchilov & Hutter 2017, without restarts
///     linear      1 − (t − 1 − w) / (T − w)
///     step        1, then 0.1 from half of the T − w steps on, and 0.01 from three quarters on   He et al. 2015, § 4.2
///     one-cycle   from 1/25 up to 1 in 30 % of the T − w steps, then down to 1/250,000, along cosines   Smith & Topin 2018
///
/// so the last step is small, but not zero. The same as PyTorch's `CosineAnnealingLR(T_max=T − w)`,
/// `LinearLR(1, 0, T − w)`, `MultiStepLR([(T − w) / 2, 3 (T − w) / 4])` and `OneCycleLR(1, T − w)` behind a
/// `LinearLR(1 / w, 1, w − 1)`.
public struct Schedule: Hashable, Sendable, CustomStringConvertible {
  /// The shape of the factor after the warm-up.
  public enum Shape: String, Sendable, CaseIterable {
    /// The same at every step.
    case constant
    /// Down along half a cosine.
    case cosine
    /// Down in a straight line.
    case linear
    /// Down to a tenth at half of the steps, and to a hundredth at three quarters.
    case step
    /// Up and then down, along cosines.
    case oneCycle = "one-cycle"
  }

  /// The shape of the factor after the warm-up.
  public let shape: Shape
  /// The steps of warm-up, w.
  public let warmup: Int
  /// The steps of the whole run, T. Beyond them the factor stays that of the last step.
  public let steps: Int
  /// The ratio of a step's factor to that of the step before it, in a schedule that grows from 1 on; nil in any other.
  public let growth: Double?

  /// The full learning rate at every step.
  public static let constant = Schedule(.constant, warmup: 0, steps: 1)

  /// `shape` over `steps` steps, of which the first `warmup` lead up to the full rate; 0 ≤ `warmup` < `steps`.
  public init(_ shape: Shape, warmup: Int, steps: Int) {
    precondition(warmup >= 0 && warmup < steps, "\(warmup) steps of warm-up of \(steps) steps")
    self.shape = shape
    self.warmup = warmup
    self.steps = steps
    growth = nil
  }

  /// Factors from 1 to `highest` over `steps` steps, 2 or more, each the same multiple of the one before it: a range test of
  /// learning rates.
  public init(growingTo highest: Double, steps: Int) {
    precondition(steps >= 2 && highest > 0, "growth to \(highest) in \(steps) steps")
    (shape, warmup, self.steps) = (.constant, 0, steps)
    growth = pow(highest, 1 / Double(steps - 1))
  }

  /// The factor of the learning rate at `step`, counted from 1.
  public func factor(step: Int) -> Double {
    precondition(step >= 1, "steps are counted from 1")
    if let growth { return pow(growth, Double(min(step, steps) - 1)) }
    guard step > warmup else { return Double(step) / Double(warmup) }
    let done = Double(min(step, steps) - 1 - warmup) / Double(steps - warmup)
    return switch shape {
    case .constant: 1
    case .cosine: 0.5 * (1 + cos(.pi * done))
    case .linear: 1 - done
    case .step: done < 0.5 ? 1 : done < 0.75 ? 0.1 : 0.01
    case .oneCycle: oneCycle(after: min(step, steps) - 1 - warmup, of: steps - warmup)
    }
  }

  /// The factor after `done` steps of `all`, as PyTorch counts: the peak is at step 0.3 · `all` − 1, the end at the last.
  private func oneCycle(after done: Int, of all: Int) -> Double {
    let (peak, end) = (0.3 * Double(all) - 1, Double(all - 1))
    func between(_ start: Double, _ stop: Double, _ part: Double) -> Double {
      stop + (start - stop) / 2 * (1 + cos(.pi * part))
    }
    // A cycle of a few steps has no way up.
    if Double(done) <= peak { return peak > 0 ? between(1.0 / 25, 1, Double(done) / peak) : 1 }
    return end > peak ? between(1, 1.0 / 250_000, (Double(done) - peak) / (end - peak)) : 1
  }

  /// All that the factors depend on: `cosine over 2345 steps after 100 of warm-up`.
  public var description: String {
    if let growth { return "growing by \(growth) a step over \(steps) steps" }
    let warming = warmup == 0 ? "" : " after \(warmup) of warm-up"
    return shape == .constant ? "constant\(warming)" : "\(shape.rawValue) over \(steps) steps\(warming)"
  }
}
