import ArgumentParser

/// The steps that `--trace` names: one, or from one to another.
struct TracedSteps: ExpressibleByArgument {
  let steps: ClosedRange<Int>

  init?(argument: String) {
    let numbers = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard let first = numbers[0], first >= 1, numbers.count <= 2 else { return nil }
    guard let last = numbers[numbers.count - 1], last >= first else { return nil }
    steps = first...last
  }
}
