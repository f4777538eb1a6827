import Datasets
import Fuzzing
import Tensors
import Testing

/// Cut and mutated tables: each is read, with finite inputs and labels of its classes, or refused with one line.
@Suite struct CSVFuzzTests {
  private static let tables = [
    "n,t,y\r\n1,\"a\"\"b\",0\r\n-2.5e1,c,1\r\n,\"d\ne\",0\r\n4,c,1\r\n",
    "\u{FEFF}x1,x2,target\n0.25,7,yes\n1e2,,no\n3,8,maybe\n\n4,9,yes\n5,NA,no\n",
    "1,2,0.5\n3,4,1.5\n5,6,2.5\n7,8,3.5\n",
  ].map { Array($0.utf8) }

  private let samples: CSVSamples

  init() throws { samples = try CSVSamples() }

  /// Whether `bytes` are read, as a table of its own and as the test file of another.
  private func isRead(_ bytes: [UInt8], testedOn index: Int, _ number: Int) throws -> Bool {
    var isRead = false
    for (training, test) in [(bytes, nil), (Self.tables[index], bytes)] as [([UInt8], [UInt8]?)] {
      do {
        let parts = try samples.parts(training, test: test) {
          $0.missing = [.drop, .mean, .median][number % 3]
          $0.normalisation = [.none, .minMax, .standard][number / 3 % 3]
        }
        isRead = true
        for part in [parts.training, parts.test] {
          #expect(part.rows.joined().allSatisfy { $0.isFinite })
          if let range = part.targets.labelRange {
            #expect(part.labels.allSatisfy { range.contains(Int($0)) })
          } else {
            #expect(part.values.allSatisfy { $0.isFinite })
          }
        }
        #expect(!parts.report.line.contains { $0.isNewline })
      } catch let error as CSVError {
        if error.isMissingInput || error.description.contains(where: \.isNewline) { Issue.record("\(error)") }
      }
    }
    return isRead
  }

  @Test func everyTruncationIsReadOrRefused() throws {
    for (index, table) in Self.tables.enumerated() {
      #expect(try isRead(table, testedOn: index, 1))
      for length in table.indices { _ = try isRead(Array(table[..<length]), testedOn: index, length) }
    }
  }

  @Test func mutatedTablesAreReadOrRefused() throws {
    var read = 0
    try Mutants(seed: 5).forEach(of: Self.tables) { number, mutant, index in
      if try isRead(mutant, testedOn: index, number) { read += 1 }
    }
    #expect(read > 50, "both outcomes are tried")
  }
}
