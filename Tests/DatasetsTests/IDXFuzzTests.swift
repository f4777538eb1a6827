import Datasets
import Fuzzing
import Tensors
import Testing

/// Cut and mutated files: each is read as what it says or refused with a typed error, and none ends the process.
@Suite struct IDXFuzzTests {
  static let pixels = (0..<5 * 4 * 3).map { UInt8(truncatingIfNeeded: $0 &* 37) }
  let scratch: Scratch
  let images = idx([5, 4, 3], pixels)
  let labels = idx([5], [3, 0, 9, 1, 2])

  init() throws { scratch = try Scratch() }

  /// What is read from the two files, or nil if they are refused.
  func read(images: [UInt8], labels: [UInt8]) throws -> (pixels: [Float], labels: [Int32])? {
    let (imagesPath, labelsPath) = (try scratch.write(images, to: "images"), try scratch.write(labels, to: "labels"))
    do throws(IDXError) {
      let dataset = try ImageDataset(imagesPath: imagesPath, labelsPath: labelsPath)
      let values = Buffer<Float>(count: dataset.count * dataset.pixels)
      let classes = Buffer<Int32>(count: dataset.count)
      dataset.copyInputs(of: (0..<UInt32(dataset.count)).map { $0 }[...], into: values, noise: nil)
      dataset.copyLabels(of: (0..<UInt32(dataset.count)).map { $0 }[...], into: classes)
      return (values.array, classes.array)
    } catch {
      if error.isMissingInput || error.description.contains("\n") { Issue.record("\(error)") }
      return nil
    }
  }

  @Test func everyTruncationIsRefused() throws {
    let (packedImages, packedLabels) = (try gzipped(images), try gzipped(labels))
    for length in images.indices { #expect(try read(images: Array(images[..<length]), labels: labels) == nil) }
    for length in labels.indices { #expect(try read(images: images, labels: Array(labels[..<length])) == nil) }
    for length in packedImages.indices {
      #expect(try read(images: Array(packedImages[..<length]), labels: labels) == nil)
    }
    for length in packedLabels.indices {
      #expect(try read(images: images, labels: Array(packedLabels[..<length])) == nil)
    }
    #expect(try read(images: packedImages, labels: packedLabels) != nil)
  }

  /// Labels as QMNIST has them: 32-bit, of which the first column counts.
  @Test func wideLabelsAreReadAndEveryTruncationOfThemIsRefused() throws {
    let wide = idx(
      [5, 3], [3, 0, 9, 1, 2].flatMap { [0, 0, 0, $0, 1, 2, 3, 4, 5, 6, 7, 8] as [UInt8] }, type: 0x0C)
    #expect(try read(images: images, labels: wide)?.labels == [3, 0, 9, 1, 2])
    let packed = try gzipped(wide)
    for length in wide.indices { #expect(try read(images: images, labels: Array(wide[..<length])) == nil) }
    for length in packed.indices { #expect(try read(images: images, labels: Array(packed[..<length])) == nil) }
    // Whatever is read of a mutant is its first column.
    var read = 0
    try Mutants(seed: 4).forEach(of: [wide]) { number, mutant, _ in
      guard let data = try self.read(images: images, labels: mutant) else { return }
      read += 1
      let size = [8: 1, 9: 1, 0x0B: 2, 0x0C: 4][Int(mutant[2])] ?? 0
      let (start, columns) = mutant[3] == 1 ? (8, 1) : (12, Int(mutant[11]) | Int(mutant[10]) << 8)
      let expected = (0..<5).map { index in
        let bytes = mutant[start + index * columns * size..<start + index * columns * size + size]
        let raw = bytes.reduce(Int32(0)) { $0 << 8 | Int32($1) }
        let bits = Int32(32 - 8 * size)
        return mutant[2] == 8 ? raw : (raw << bits) >> bits
      }
      if data.labels != expected { Issue.record("seed 4, mutant \(number)") }
    }
    #expect(read > 50)
  }

  @Test func mutatedFilesAreReadAsTheyStandOrRefused() throws {
    var read = 0
    try Mutants(seed: 1).forEach(of: [images, labels]) { number, mutant, index in
      let (images, labels) = index == 0 ? (mutant, self.labels) : (self.images, mutant)
      guard let data = try self.read(images: images, labels: labels) else { return }
      read += 1
      if data.pixels != images[16...].map({ Float($0) / 255 }) || data.labels != labels[8...].map({ Int32($0) }) {
        Issue.record("seed 1, mutant \(number)")
      }
    }
    #expect(read > 50, "both outcomes are tried: pixels may have any value")
  }

  /// The checksum stands between a mutation and the pixels: whatever is read is what was packed.
  @Test func mutatedStreamsAreReadAsPackedOrRefused() throws {
    let whole = try #require(try read(images: images, labels: labels))
    try Mutants(seed: 2).forEach(of: [try gzipped(images), try gzipped(labels)]) { number, mutant, index in
      let (images, labels) = index == 0 ? (mutant, self.labels) : (self.images, mutant)
      guard let data = try read(images: images, labels: labels) else { return }
      if data.pixels != whole.pixels || data.labels != whole.labels { Issue.record("seed 2, mutant \(number)") }
    }
  }

  /// Damage packed after it was done: the stream is whole and what is in it is not.
  @Test func packedMutantsAreReadAsTheyStandOrRefused() throws {
    var read = 0
    try Mutants(seed: 3).forEach(of: [images, labels]) { number, mutant, index in
      // Packing takes a file of its own: one in ten.
      guard number % 10 == 0 else { return }
      let packed = try gzipped(mutant)
      let (images, labels) = index == 0 ? (packed, self.labels) : (self.images, packed)
      guard let data = try self.read(images: images, labels: labels) else { return }
      read += 1
      let expected = index == 0 ? mutant[16...] : self.images[16...]
      if data.pixels != expected.map({ Float($0) / 255 }) { Issue.record("seed 3, mutant \(number)") }
    }
    #expect(read > 5)
  }
}
