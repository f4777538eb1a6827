import Collectives
import NeuralNetworks
import Optimizers

/// The parameters that each rank steps, and so keeps the optimizer's state of. Decided here and nowhere else.
///
/// If all ranks share memory, or with sharding, each steps a slice for all (ZeRO stage 1, Rajbhandari et al. 2020).
/// Otherwise, and always with an optimizer that is not element-wise, every rank steps all.
public struct StepDivision: Sendable {
  /// How gradients become one sum.
  package let method: ReductionMethod
  /// Whether ranks of one host add gradients in memory that they share.
  package let sharesMemory: Bool
  /// Whether each rank steps a slice for all.
  package let isSliced: Bool
  /// Whether every rank can read the others' optimizer state.
  package let isShown: Bool
  /// The parameters that each rank steps: even slices, or all of them each.
  package let parts: [Range<Int>]

  /// Divides the parameters of `layout` among the ranks of `communicator`.
  ///
  /// - Parameters:
  ///   - sharesMemory: whether ranks of one host may share memory.
  ///   - shards: whether each rank keeps only a slice of the optimizer's state even if memory is not shared.
  public init(
    of layout: ParameterLayout, optimizer: any OptimizerSpecification, communicator: any Communicator,
    method: ReductionMethod, sharesMemory: Bool, shards: Bool
  ) {
    self.method = method
    let size = communicator.size
    let usesTree = method == .lockstep && size > 1
    self.sharesMemory = usesTree && sharesMemory
    let isTogether = self.sharesMemory && communicator.hosts.ranks.count == 1
    isSliced = usesTree && optimizer.isElementwise && (isTogether || shards)
    isShown = isSliced && isTogether
    let all = 0..<layout.count
    parts =
      isSliced
      ? slices(of: layout.count + BatchSums.count, size).map { $0.clamped(to: all) }
      : Array(repeating: all, count: size)
  }
}
