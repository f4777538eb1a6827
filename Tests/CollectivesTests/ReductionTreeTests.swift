import Collectives
import Testing

@Suite struct ReductionTreeTests {
  @Test func `The root covers every leaf and its two children do`() {
    for leaves in 1...70 {
      let tree = ReductionTree(leaves: leaves)
      #expect(tree.covered(by: tree.root) == 0..<leaves)
      #expect(tree.root.index == 0)
      // No lower level would do.
      #expect(leaves == 1 || 1 << (tree.root.level - 1) < leaves)
    }
  }

  @Test func `The nodes that cover a range cover it exactly, from left to right, and are the fewest`() {
    for leaves in 1...40 {
      let tree = ReductionTree(leaves: leaves)
      for lower in 0...leaves {
        for upper in lower...leaves {
          let nodes = tree.nodes(covering: lower..<upper)
          let covered = nodes.flatMap { Array(tree.covered(by: $0)) }
          #expect(covered == Array(lower..<upper), "\(lower)..<\(upper) of \(leaves)")
          #expect(nodes.count == fewest(lower..<upper, of: tree))
        }
      }
    }
  }

  /// The size of the smallest cover, found from the definition: each leaf goes up as long as its whole node is inside.
  private func fewest(_ range: Range<Int>, of tree: ReductionTree) -> Int {
    let tops = range.map { leaf in
      (0...tree.root.level).map { ReductionTree.Node(level: $0, index: leaf >> $0) }.last {
        let covered = tree.covered(by: $0)
        return range.lowerBound <= covered.lowerBound && covered.upperBound <= range.upperBound
      }
    }
    // Nodes that lie inside one another at the right edge cover the same leaves: they count once.
    return Set(tops.compactMap { $0.map { tree.covered(by: $0) } }).count
  }

  @Test func `What a node covers does not depend on who asks nor on leaves to its right`() {
    for leaves in 1...33 {
      let short = ReductionTree(leaves: leaves)
      let long = ReductionTree(leaves: leaves + 31)
      for level in 0...short.root.level {
        for index in 0..<leaves where (index + 1) << level <= leaves {
          let node = ReductionTree.Node(level: level, index: index)
          #expect(short.covered(by: node) == long.covered(by: node))
          #expect(short.covered(by: node) == index << level..<(index + 1) << level)
        }
      }
    }
  }

  @Test func `Microbatches are shared out in order, all of them, as evenly as can be`() {
    for count in 0...40 {
      for size in 1...9 {
        let shares = (0..<size).map { microbatches(of: count, heldBy: $0, of: size) }
        #expect(shares.flatMap { Array($0) } == Array(0..<count))
        let counts = shares.map(\.count)
        #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
        #expect(counts.allSatisfy { $0 == count / size || $0 == count / size + 1 })
      }
    }
    #expect((0..<3).map { microbatches(of: 8, heldBy: $0, of: 3) } == [0..<2, 2..<5, 5..<8])
    #expect((0..<4).map { microbatches(of: 1, heldBy: $0, of: 4).count } == [0, 0, 0, 1], "ranks without work")
  }
}
