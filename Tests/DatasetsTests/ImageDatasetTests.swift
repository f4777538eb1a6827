import Datasets
import Digests
import FoundationEssentials
import Tensors
import Testing

@Suite struct ImageDatasetTests {
  let scratch: Scratch
  /// Three images of 32 × 8 pixels, in which every value occurs.
  let images = idx([3, 32, 8], (0..<768).map { UInt8(truncatingIfNeeded: $0) })
  let labels = idx([3], [7, 0, 9])

  init() throws { scratch = try Scratch() }

  func dataset() throws -> ImageDataset {
    try ImageDataset(imagesPath: scratch.write(images, to: "images"), labelsPath: scratch.write(labels, to: "labels"))
  }

  @Test func shapesAndLabels() throws {
    let dataset = try dataset()
    #expect([dataset.count, dataset.rows, dataset.columns, dataset.pixels] == [3, 32, 8, 256])
    #expect(dataset.labelRange == 0...9)
    #expect((0..<3).map(dataset.label(at:)) == [7, 0, 9])
  }

  @Test func pixelsAreDividedBy255AndCorrectlyRounded() throws {
    let (dataset, values) = (try dataset(), Buffer<Float>(count: 2 * 256))
    dataset.copyInputs(of: [2, 0], into: values, noise: nil)
    for pixel in 0..<256 {
      // The quotient in Double is so close that rounding it to Float is rounding the exact one.
      #expect(values[pixel] == Float(Double(pixel) / 255))
      #expect(values[256 + pixel] == values[pixel])
    }
    #expect(values[0] == 0 && values[255] == 1)
  }

  @Test func samplesAreCopiedInTheOrderAskedFor() throws {
    let images = idx([4, 1, 2], [0, 1, 10, 11, 20, 21, 30, 31])
    let dataset = try ImageDataset(
      imagesPath: scratch.write(images, to: "images"), labelsPath: scratch.write(idx([4], [0, 1, 2, 3]), to: "labels"))
    let (values, classes) = (Buffer<Float>(count: 6), Buffer<Int32>(count: 3))
    let order: [UInt32] = [9, 3, 0, 3, 9]
    dataset.copyInputs(of: order[1..<4], into: values, noise: nil)
    dataset.copyLabels(of: order[1..<4], into: classes)
    #expect(values.array.map { ($0 * 255).rounded() } == [30, 31, 0, 1, 30, 31])
    #expect(classes.array == [3, 0, 3])
    dataset.copyInputs(in: 1..<4, into: values)
    dataset.copyLabels(in: 1..<4, into: classes)
    #expect(values.array.map { ($0 * 255).rounded() } == [10, 11, 20, 21, 30, 31])
    #expect(classes.array == [1, 2, 3])
    dataset.copyInputs(of: [], into: values.prefix(0), noise: nil)
    dataset.copyLabels(in: 2..<2, into: classes.prefix(0))
  }

  @Test func theDigestIsThatOfBothFilesUnpacked() throws {
    let expected = SHA256Digest(of: images + labels)
    #expect(try dataset().digest == expected)
    let packed = try ImageDataset(
      imagesPath: scratch.write(gzipped(images), to: "images.gz"),
      labelsPath: scratch.write(gzipped(labels), to: "labels.gz"))
    #expect(packed.digest == expected)
    #expect(packed.digest == expected, "the second time, from memory")
  }

  @Test func filesThatDoNotBelongTogetherAreRefused() throws {
    let imagesPath = try scratch.write(images, to: "images")
    let labelsPath = try scratch.write(idx([2], [7, 0]), to: "labels")
    #expect(throws: IDXError(path: labelsPath, cause: .countsDiffer(images: 3, labels: 2))) {
      try ImageDataset(imagesPath: imagesPath, labelsPath: labelsPath)
    }
    // Images where the labels should be.
    #expect(throws: IDXError(path: imagesPath, cause: .rank(3, expected: 1...2))) {
      try ImageDataset(imagesPath: imagesPath, labelsPath: imagesPath)
    }
  }

  @Test(arguments: ["-idx", ".idx"], ["", ".gz"])
  func bothPartsAreFoundUnderAllTheirNames(separator: String, suffix: String) throws {
    let pack = { (bytes: [UInt8]) in suffix.isEmpty ? bytes : try gzipped(bytes) }
    for (part, count) in [("train", 2), ("t10k", 1)] as [(String, UInt32)] {
      try scratch.write(
        pack(idx([count, 1, 1], [UInt8](repeating: 5, count: Int(count)))),
        to: "\(part)-images\(separator)3-ubyte\(suffix)")
      try scratch.write(
        pack(idx([count], [UInt8](repeating: 1, count: Int(count)))), to: "\(part)-labels\(separator)1-ubyte\(suffix)")
    }
    #expect(try ImageDataset.load(directory: scratch.directory, part: .train).count == 2)
    #expect(try ImageDataset.load(directory: scratch.directory + "/", part: .test).count == 1)
  }

  @Test func aDirectoryWithoutTheFilesIsMissingInput() throws {
    let path = scratch.path("train-images-idx3-ubyte")
    let error = #expect(throws: IDXError(path: path, cause: .missing)) {
      try ImageDataset.load(directory: scratch.directory, part: .train)
    }
    #expect(error?.isMissingInput == true)
  }

  @Test func namesAreResolvedToDirectories() throws {
    let cache = ["XDG_CACHE_HOME": scratch.directory, "HOME": "/nowhere"]
    let mnist = scratch.path("lockstep/mnist")
    let error = #expect(throws: IDXError(path: mnist, cause: .noDirectory(name: "mnist"))) {
      try ImageDataset.directory(named: "mnist", environment: cache)
    }
    #expect(error?.description == "\(mnist): mnist has not been fetched; run launch/fetch mnist")
    #expect(error?.isMissingInput == true)
    try FileManager.default.createDirectory(atPath: mnist, withIntermediateDirectories: true)
    #expect(try ImageDataset.directory(named: "mnist", environment: cache) == mnist)
    #expect(try ImageDataset.directory(named: mnist, environment: [:]) == mnist)
    for unset in [nil, "", "relative"] as [String?] {
      #expect(throws: IDXError(path: "/nowhere/.cache/lockstep/mnist", cause: .noDirectory(name: "mnist"))) {
        try ImageDataset.directory(
          named: "mnist", environment: ["HOME": "/nowhere"].merging(unset.map { ["XDG_CACHE_HOME": $0] } ?? [:]) { $1 })
      }
    }
    for unset in [[:], ["HOME": ""], ["HOME": "home"], ["XDG_CACHE_HOME": "relative", "HOME": "./home"]] {
      let error = #expect(throws: IDXError(path: "mnist", cause: .noCacheDirectory)) {
        try ImageDataset.directory(named: "mnist", environment: unset)
      }
      #expect(
        error?.description
          == "mnist: neither XDG_CACHE_HOME nor HOME is set to an absolute path; give data a directory, or set HOME")
      #expect(error?.isMissingInput == true)
    }
    let file = try scratch.write([1], to: "file")
    for path in [file, scratch.path("absent"), ""] {
      #expect(throws: IDXError(path: path, cause: .noDirectory(name: nil))) {
        try ImageDataset.directory(named: path, environment: cache)
      }
    }
  }
}
