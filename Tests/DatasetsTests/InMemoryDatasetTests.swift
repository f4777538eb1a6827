import Datasets
import Tensors
import Testing

@Suite struct InMemoryDatasetTests {
  private let inputs: [Float] = [0, 1, 10, 11, 20, 21, 30, 31]

  private func labelled(
    _ inputs: [Float]? = nil, shape: Shape = [2], labels: [Int32] = [4, -1, 7, 4], classes: Classes? = nil
  ) throws(DatasetError) -> InMemoryDataset {
    try InMemoryDataset(
      name: "made up", inputs: Buffer(inputs ?? self.inputs), shape: shape, labels: Buffer(labels), classes: classes)
  }

  private func valued(
    _ inputs: [Float]? = nil, shape: Shape = [2], values: [Float] = [0.5, 1.5, 2.5, 3.5]
  ) throws(DatasetError) -> InMemoryDataset {
    try InMemoryDataset(
      name: "made up", inputs: Buffer(inputs ?? self.inputs), shape: shape, values: Buffer(values))
  }

  @Test func samplesAreCopiedInTheOrderAskedFor() throws {
    let data = try labelled()
    #expect(data.count == 4 && data.inputShape == [2] && data.targets == .labels(-1...7))
    let order: [UInt32] = [9, 3, 0, 3, 9]
    let (copies, labels) = (Buffer<Float>(count: 6), Buffer<Int32>(count: 3))
    data.copyInputs(of: order[1..<4], into: copies, noise: nil)
    data.copyLabels(of: order[1..<4], into: labels)
    #expect(copies.array == [30, 31, 0, 1, 30, 31])
    #expect(labels.array == [4, 4, 4])
    data.copyInputs(in: 1..<4, into: copies)
    data.copyLabels(in: 1..<4, into: labels)
    #expect(copies.array == [10, 11, 20, 21, 30, 31])
    #expect(labels.array == [-1, 7, 4])
  }

  @Test func realNumbersAreCopied() throws {
    let one = try valued()
    #expect(one.count == 4 && one.targets == .values(count: 1))
    let two = try valued(values: (0..<8).map(Float.init))
    #expect(two.targets == .values(count: 2))
    let copies = Buffer<Float>(count: 4)
    two.copyValues(of: [3, 1], into: copies)
    #expect(copies.array == [6, 7, 2, 3])
    two.copyValues(in: 1..<3, into: copies)
    #expect(copies.array == [2, 3, 4, 5])
    one.copyValues(in: 0..<4, into: copies)
    #expect(copies.array == [0.5, 1.5, 2.5, 3.5])
  }

  @Test func everyDifferenceOfTheDataIsOneOfTheDigest() throws {
    var other = inputs
    other[7] = 31.000002
    let digests = try [
      labelled(), labelled(other), labelled(labels: [4, -1, 7, 5]), labelled(shape: [2, 1]),
      labelled(Array(inputs.dropLast(2)), labels: [4, -1, 7]), valued(), valued(other),
      valued(values: [0.5, 1.5, 2.5, -3.5]), valued(values: (0..<8).map(Float.init)),
    ].map(\.digest)
    #expect(Set(digests).count == digests.count)
    #expect(try labelled().digest == digests[0])
    let renamed = try InMemoryDataset(inputs: Buffer(inputs), shape: [2], labels: Buffer([4, -1, 7, 4]))
    #expect(renamed.digest == digests[0], "a name is not data")
  }

  @Test func countsThatDoNotFitAreRefused() throws {
    func cause(_ make: () throws(DatasetError) -> InMemoryDataset) -> DatasetError.Cause? {
      do throws(DatasetError) {
        _ = try make()
        return nil
      } catch {
        #expect(error.name == "made up")
        return error.cause
      }
    }
    #expect(cause { () throws(DatasetError) in try labelled() } == nil)
    #expect(cause { () throws(DatasetError) in try labelled([], labels: []) } == .noSamples)
    #expect(
      cause { () throws(DatasetError) in try labelled(labels: [1, 2, 3]) } == .inputs(8, samples: 3, shape: [2]))
    #expect(cause { () throws(DatasetError) in try labelled([], shape: [0]) } == .emptyInputs([0]))
    #expect(cause { () throws(DatasetError) in try valued([]) } == .noSamples)
    #expect(cause { () throws(DatasetError) in try valued(values: []) } == .values(0, samples: 4))
    #expect(cause { () throws(DatasetError) in try valued(values: [1, 2, 3]) } == .values(3, samples: 4))
    #expect(
      cause { () throws(DatasetError) in try valued([1, 2, 3], values: [1]) } == .inputs(3, samples: 1, shape: [2]))
  }

  @Test func labelsOfNoClassAreRefused() throws {
    let classes = try #require(Classes(checking: 8, firstLabel: 0))
    #expect(throws: DatasetError("made up", .label(-1, index: 1, classes: classes))) {
      try labelled(classes: classes)
    }
    #expect(try labelled(labels: [0, 3, 3, 0], classes: classes).targets == .classes(classes))
  }
}
