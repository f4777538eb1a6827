import Datasets
import Tensors
import Testing

/// The targets of data in several parts.
@Suite struct TargetsTests {
  /// A data set that says of itself what it likes.
  private struct Claim: Dataset {
    var name = "claimed"
    var count = 3
    var inputShape: Shape = [1]
    var targets: Targets
    var labels: [Int32] = []
    var digest: SHA256Digest { SHA256Digest(of: [0]) }
    func copyInputs(of samples: ArraySlice<UInt32>, into destination: Buffer<Float>, noise: Noise?) {
      for (place, sample) in samples.enumerated() { destination[place] = Float(sample) }
    }
    func copyLabels(of samples: ArraySlice<UInt32>, into destination: Buffer<Int32>) {
      for (place, sample) in samples.enumerated() { destination[place] = labels[Int(sample)] }
    }
  }

  private func classes(_ count: Int, from first: Int) throws -> Classes {
    try #require(Classes(checking: count, firstLabel: first))
  }

  /// Labels below ten that are found are those of ten classes; classes that are said are those that are said.
  @Test func classesThatAreSaidStay() throws {
    let three = try classes(3, from: 0)
    #expect(try Targets(of: Claim(targets: .labels(0...2))) == .classes(.ten))
    #expect(try Targets(of: Claim(targets: .classes(three))) == .classes(three))
    #expect(try Targets(of: Claim(targets: .classes(three)), Claim(targets: .labels(1...1))) == .classes(three))
    #expect(
      try Targets(of: Claim(targets: .classes(three)), Claim(targets: .labels(4...5)))
        == .classes(classes(6, from: 0)))
  }

  @Test func realNumbersOfOneCountGoTogether() throws {
    #expect(
      try Targets(of: Claim(targets: .values(count: 2)), Claim(targets: .values(count: 2))) == .values(count: 2))
    for other in [Targets.values(count: 1), .labels(0...1), .classes(.ten)] {
      let error = #expect(throws: DatasetError("other", .targetsDiffer(other, other: .values(count: 2)))) {
        try Targets(of: Claim(targets: .values(count: 2)), Claim(name: "other", targets: other))
      }
      #expect(error?.description.hasPrefix("other: its targets are ") == true)
    }
    #expect(throws: DatasetError("claimed", .noClasses(.values(count: 2)))) {
      try Classes(of: Claim(targets: .values(count: 2)))
    }
    #expect(throws: DatasetError("claimed", .noClasses(.values(count: 2)))) {
      try Claim(targets: .values(count: 2)).check(.ten)
    }
  }

  /// Inputs that are their own targets go together with none but such.
  @Test func inputsThatAreTargets() throws {
    let own = Claim(inputShape: [2], targets: .input(count: 2))
    try own.validate()
    #expect(try Targets(of: own, own) == .input(count: 2))
    for other in [Targets.values(count: 2), .labels(0...1)] {
      #expect(throws: DatasetError("claimed", .targetsDiffer(other, other: .input(count: 2)))) {
        try Targets(of: own, Claim(targets: other))
      }
    }
    #expect(throws: DatasetError("claimed", .targetsDiffer(.input(count: 2), other: .values(count: 2)))) {
      try Targets(of: Claim(targets: .values(count: 2)), own)
    }
    #expect(throws: DatasetError("claimed", .noClasses(.input(count: 2)))) { try own.check(.ten) }
    #expect("\(own.targets)" == "the 2 numbers of the input")
  }

  /// A range that is wider than the labels is no fault of theirs.
  @Test func onlyLabelsThatOccurAreChecked() throws {
    try Claim(targets: .labels(0...20), labels: [0, 9, 3]).check(.ten)
    #expect(throws: DatasetError("claimed", .label(10, index: 1, classes: .ten))) {
      try Claim(targets: .labels(0...20), labels: [0, 10, 11]).check(.ten)
    }
    // More labels than are looked at in one go.
    var many = Claim(count: 9000, targets: .labels(0...20), labels: Array(repeating: 1, count: 9000))
    try many.check(.ten)
    many.labels[8999] = 11
    #expect(throws: DatasetError("claimed", .label(11, index: 8999, classes: .ten))) { try many.check(.ten) }
  }

  @Test func dataThatNoNetworkCanTakeAreRefused() throws {
    let targets = Targets.labels(0...1)
    try Claim(targets: targets).validate()
    try Claim(count: Int(UInt32.max), targets: targets).validate()
    for (data, cause) in [
      (Claim(count: 0, targets: targets), .noSamples),
      (Claim(count: 1 << 32, targets: targets), .tooManySamples(1 << 32)),
      (Claim(inputShape: [3, 0], targets: targets), .emptyInputs([3, 0])),
      (Claim(targets: .values(count: 0)), .noValues),
      (Claim(targets: .input(count: 2)), .inputs(2, samples: 1, shape: [1])),
    ] as [(Claim, DatasetError.Cause)] {
      #expect(throws: DatasetError("claimed", cause)) { try data.validate() }
    }
  }

  /// A data set of one's own copies by number; ranges follow from that.
  @Test func rangesAreCopiedByNumber() {
    let data = Claim(targets: .labels(4...6), labels: [4, 5, 6])
    let (inputs, labels) = (Buffer<Float>(count: 2), Buffer<Int32>(count: 2))
    data.copyInputs(in: 1..<3, into: inputs)
    data.copyLabels(in: 1..<3, into: labels)
    #expect(inputs.array == [1, 2] && labels.array == [5, 6])
  }
}
