import Datasets
import FoundationEssentials
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
  func read(images: [UInt8], labels: [UInt8]) throws -> (pixels: [Float], labels: [UInt8])? {
    let (imagesPath, labelsPath) = (try scratch.write(images, to: "images"), try scratch.write(labels, to: "labels"))
    do throws(IDXError) {
      let dataset = try ImageDataset(imagesPath: imagesPath, labelsPath: labelsPath)
      let values = Buffer<Float>(count: dataset.count * dataset.pixels)
      let classes = Buffer<UInt8>(count: dataset.count)
      dataset.copyImages(at: (0..<UInt32(dataset.count)).map { $0 }[...], into: values)
      dataset.copyLabels(at: (0..<UInt32(dataset.count)).map { $0 }[...], into: classes)
      return (values.array, classes.array)
    } catch {
      #expect(!error.isMissingInput && !error.description.contains("\n"))
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

  @Test func mutatedFilesAreReadAsTheyStandOrRefused() throws {
    var random = Philox(seed: 1, purpose: .augmentation, stream: 0)
    var read = 0
    for _ in 0..<3000 {
      var (images, labels) = (self.images, self.labels)
      if random.next(below: 2) == 0 { mutate(&images, &random) } else { mutate(&labels, &random) }
      guard let data = try self.read(images: images, labels: labels) else { continue }
      read += 1
      #expect(data.pixels == images[16...].map { Float($0) / 255 })
      #expect(data.labels == Array(labels[8...]))
    }
    #expect(read > 50, "both outcomes are tried: pixels may have any value")
  }

  /// The checksum stands between a mutation and the pixels: whatever is read is what was packed.
  @Test func mutatedStreamsAreReadAsPackedOrRefused() throws {
    let packed = try gzipped(images)
    let whole = try #require(try read(images: images, labels: labels))
    var random = Philox(seed: 2, purpose: .augmentation, stream: 0)
    for _ in 0..<3000 {
      var mutant = packed
      mutate(&mutant, &random)
      guard let data = try read(images: mutant, labels: labels) else { continue }
      #expect(data.pixels == whole.pixels && data.labels == whole.labels)
    }
  }

  /// One to three bytes changed, or a piece left out, doubled or put in.
  private func mutate(_ bytes: inout [UInt8], _ random: inout Philox) {
    let position = Int(random.next(below: UInt32(bytes.count)))
    let end = min(bytes.count, position + 1 + Int(random.next(below: 8)))
    switch random.next(below: 6) {
    case 0: bytes.removeSubrange(position..<end)
    case 1: bytes.insert(contentsOf: bytes[position..<end], at: position)
    case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: position)
    default:
      for _ in 0...random.next(below: 3) {
        // Half of the changes in the header, where most of what can go wrong does.
        let limit = random.next(below: 2) == 0 ? min(16, bytes.count) : bytes.count
        bytes[Int(random.next(below: UInt32(limit)))] = UInt8(truncatingIfNeeded: random.next())
      }
    }
  }
}
