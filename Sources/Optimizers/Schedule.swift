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
///
/// so the last step is small, but not zero. The same as PyTorch's `CosineAnnealingLR(T_max=T − w)` and
/// `LinearLR(1, 0, T − w)` behind a `LinearLR(1 / w, 1, w − 1)`.
public struct Schedule: Hashable, Sendable, CustomStringConvertible {
  /// The shape of the factor after the warm-up.
  public enum Shape: String, Sendable, CaseIterable {
    case constant, cosine, linear
  }

  /// The shape of the factor after the warm-up.
  public let shape: Shape
  /// The steps of warm-up, w.
  public let warmup: Int
  /// The steps of the whole run, T. Beyond them the factor stays that of the last step.
  public let steps: Int

  /// The full learning rate at every step.
  public static let constant = Schedule(.constant, warmup: 0, steps: 1)

  /// `shape` over `steps` steps, of which the first `warmup` lead up to the full rate; 0 ≤ `warmup` < `steps`.
  public init(_ shape: Shape, warmup: Int, steps: Int) {
    precondition(warmup >= 0 && warmup < steps, "\(warmup) steps of warm-up of \(steps) steps")
    self.shape = shape
    self.warmup = warmup
    self.steps = steps
  }

  /// The factor of the learning rate at `step`, counted from 1.
  public func factor(step: Int) -> Double {
    precondition(step >= 1, "steps are counted from 1")
    guard step > warmup else { return Double(step) / Double(warmup) }
    let done = Double(min(step, steps) - 1 - warmup) / Double(steps - warmup)
    return switch shape {
    case .constant: 1
    case .cosine: 0.5 * (1 + cos(.pi * done))
    case .linear: 1 - done
    }
  }

  /// All that the factors depend on: `cosine over 2345 steps after 100 of warm-up`.
  public var description: String {
    let warming = warmup == 0 ? "" : " after \(warmup) of warm-up"
    return shape == .constant ? "constant\(warming)" : "\(shape.rawValue) over \(steps) steps\(warming)"
  }
}
