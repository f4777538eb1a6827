import Glibc

/// LiRA, the likelihood ratio attack (Carlini et al. 2022, "Membership Inference Attacks From First Principles", arXiv 2112.03570): how much
/// better a model's confidence in a sample fits models that were trained on it than models that were not.
///
/// The confidences φ = log(p/(1 − p)) of the shadow models in a sample are taken for normal, those of the models trained on it with mean μ_in
/// and deviation σ_in, the others' with μ_out and σ_out.
public struct LikelihoodRatio: Sendable {
  /// Which models there are to compare with.
  public enum Variant: String, Sendable, CaseIterable {
    /// Models that were trained on the sample, and others: the score is log N(φ; μ_in, σ_in²) − log N(φ; μ_out, σ_out²), the paper's
    /// algorithm 1.
    case online
    /// Others alone, which can be trained before the sample is known: the score is (φ − μ_out)/σ_out, which orders samples as the
    /// probability that a model not trained on it is less sure of it, the paper's equation 4.
    case offline
  }

  /// Whether all samples have the same two deviations, those within samples pooled over all: better than one of few models a sample.
  public let sharesVariance: Bool

  /// The fewest models of a kind for a deviation of their own. The paper gives each sample its own from 64 models on, half of them of each
  /// kind.
  public static let fewestForOwnVariance = 32

  /// The least deviation: that of models that all agree would be none.
  private static let leastDeviation = 1e-9

  /// The means and deviations of both kinds, a number a sample.
  private let trained: Fits
  private let others: Fits

  private struct Fits {
    var means: [Double] = []
    var deviations: [Double] = []
  }

  /// The fits to `confidences[model][sample]` of shadow models, of which `isMember[model][sample]` were trained on the sample: for every
  /// sample at least two models, and two others.
  ///
  /// - Parameter sharesVariance: nil to share deviations if a sample has fewer than ``fewestForOwnVariance`` models of a kind.
  public init(confidences: [[Double]], isMember: [[Bool]], sharesVariance: Bool? = nil) {
    precondition(confidences.count == isMember.count, "\(confidences.count) models and \(isMember.count) memberships")
    let samples = confidences.first?.count ?? 0
    var fewest = Int.max
    func fits(of kind: Bool) -> (means: [Double], squares: [Double], counts: [Int]) {
      var found = (means: [Double](), squares: [Double](), counts: [Int]())
      for sample in 0..<samples {
        let values = confidences.indices.filter { isMember[$0][sample] == kind }.map { confidences[$0][sample] }
        precondition(
          values.count >= 2, "sample \(sample) has \(values.count) models \(kind ? "" : "not ")trained on it")
        let mean = values.reduce(0, +) / Double(values.count)
        found.means.append(mean)
        found.squares.append(values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) })
        found.counts.append(values.count)
        fewest = min(fewest, values.count)
      }
      return found
    }
    let (trained, others) = (fits(of: true), fits(of: false))
    let shares = sharesVariance ?? (fewest < Self.fewestForOwnVariance)
    self.sharesVariance = shares
    func finished(_ found: (means: [Double], squares: [Double], counts: [Int])) -> Fits {
      let pooled = found.squares.reduce(0, +) / Double(max(1, found.counts.reduce(0) { $0 + $1 - 1 }))
      return Fits(
        means: found.means,
        deviations: zip(found.squares, found.counts).map { squares, count in
          max(Self.leastDeviation, (shares ? pooled : squares / Double(count - 1)).squareRoot())
        })
    }
    (self.trained, self.others) = (finished(trained), finished(others))
  }

  /// The score of each sample, the larger the more likely a member, by the audited model's confidences in them.
  public func scores(of target: [Double], _ variant: Variant) -> [Double] {
    target.indices.map { sample in
      let other = (target[sample] - others.means[sample]) / others.deviations[sample]
      switch variant {
      case .offline: return other
      case .online:
        let own = (target[sample] - trained.means[sample]) / trained.deviations[sample]
        // The normal densities without the factor that both have.
        return (-own * own / 2 - log(trained.deviations[sample]))
          - (-other * other / 2 - log(others.deviations[sample]))
      }
    }
  }
}
