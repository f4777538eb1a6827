/// What clients and server do in a round: `--strategy`. x are the model's weights, y a client's after its steps, η the clients' learning rate,
/// and the server's step is along the weighted mean of x − y over the round's clients.
public enum FederatedStrategy: Sendable, Hashable, CustomStringConvertible {
  /// Federated averaging (McMahan et al. 2017): SGD at the clients, and x ← x − ηₛ · mean(x − y) with a server's rate ηₛ of 1.
  case fedAvg
  /// FedProx (Li et al. 2020, arXiv 1812.06127): as averaging, with μ/2 · ‖y − x‖² added to the clients' loss.
  case fedProx(mu: Float)
  /// FedAdam (Reddi et al. 2021, arXiv 2003.00295, algorithm 2): Δ = mean(x − y), m ← β₁·m + (1 − β₁)·Δ, v ← β₂·v + (1 − β₂)·Δ²,
  /// x ← x − ηₛ · m / (√v + τ), from m = 0 and v = τ², with a server's rate ηₛ of 0.1.
  case fedAdam(beta1: Float = 0.9, beta2: Float = 0.99, tau: Float = 1e-3)
  /// SCAFFOLD (Karimireddy et al. 2020, arXiv 1910.06378, algorithm 1 with option II): a client steps along g − cᵢ + c, and after K steps
  /// cᵢ ← cᵢ − c + (x − y)/(K·η); the server moves c by the sum of what the cᵢ of the round moved, divided by the number of all clients.
  case scaffold

  /// The strategies' names.
  public static let names = ["fedavg", "fedprox", "fedadam", "scaffold"]

  /// The name: `fedavg`, `fedprox`, `fedadam` or `scaffold`.
  public var name: String {
    switch self {
    case .fedAvg: "fedavg"
    case .fedProx: "fedprox"
    case .fedAdam: "fedadam"
    case .scaffold: "scaffold"
    }
  }

  /// The name, and the constants behind it: `fedprox 0.01`.
  public var description: String {
    switch self {
    case .fedAvg, .scaffold: name
    case .fedProx(let mu): "\(name) \(mu)"
    case .fedAdam(let beta1, let beta2, let tau): "\(name) \(beta1) \(beta2) \(tau)"
    }
  }

  /// The server's learning rate where none is given.
  public var usualServerRate: Float { if case .fedAdam = self { 0.1 } else { 1 } }

  /// The fault in its constants, in one line; nil if there is none.
  var fault: String? {
    switch self {
    case .fedAvg, .scaffold: return nil
    case .fedProx(let mu): return mu >= 0 && mu.isFinite ? nil : "mu \(mu) is not a number of at least 0"
    case .fedAdam(let beta1, let beta2, let tau):
      for (name, beta) in [("beta1", beta1), ("beta2", beta2)] where !(beta >= 0 && beta < 1) {
        return "\(name) \(beta) is not from 0 to below 1"
      }
      return tau > 0 && tau.isFinite ? nil : "tau \(tau) is not a positive number"
    }
  }
}
