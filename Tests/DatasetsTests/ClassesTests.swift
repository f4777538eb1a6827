import Datasets
import FoundationEssentials
import Glibc
import Testing

/// Classes from labels, and the files that labels and images are found in.
@Suite struct ClassesTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func data(_ labels: [UInt8], type: UInt8 = 8, columns: UInt32? = nil) throws -> ImageDataset {
    let size: [UInt8: UInt32] = [8: 1, 9: 1, 0x0B: 2, 0x0C: 4]
    let count = UInt32(labels.count) / (size[type] ?? 1) / (columns ?? 1)
    return try ImageDataset(
      imagesPath: scratch.write(idx([count, 1, 1], [UInt8](repeating: 5, count: Int(count))), to: "images"),
      labelsPath: scratch.write(idx([count] + (columns.map { [$0] } ?? []), labels, type: type), to: "labels"))
  }

  private func classes(_ training: [UInt8], _ test: [UInt8]) throws -> Classes {
    try Classes(of: data(training), data(test))
  }

  @Test func theyAreFoundFromBothParts() throws {
    for (training, test, expected) in [
      (Array(0...9), [3], "0 to 9"), ([1, 2], [5], "0 to 9"), ([7], [7], "0 to 9"),
      (Array(1...26), [1], "1 to 26"), ([1, 2], [26], "1 to 26"), ([26], [1], "1 to 26"),
      (Array(0..<47), [0], "0 to 46"), (Array(0..<62), [61], "0 to 61"), (Array(0...255), [0], "0 to 255"),
      (Array(1...10), [1], "1 to 10"), ([200], [200], "200 to 200"), ([0, 10], [0], "0 to 10"),
    ] as [([UInt8], [UInt8], String)] {
      #expect("\(try classes(training, test))" == expected)
    }
    #expect(try classes([4, 5], [6]) == .ten)
  }

  @Test func labelsOfEveryIntegerTypeAreRead() throws {
    let signed = try data([0xFF, 0x7F, 0x80], type: 9)
    #expect((0..<3).map(signed.label(at:)) == [-1, 127, -128])
    let short = try data([0x80, 0, 0, 5, 0x7F, 0xFF], type: 0x0B)
    #expect((0..<3).map(short.label(at:)) == [-32_768, 5, 32_767])
    let int = try data([0x80, 0, 0, 0, 0, 1, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF], type: 0x0C)
    #expect((0..<3).map(int.label(at:)) == [-2_147_483_648, 65_536, 2_147_483_647])
    #expect(throws: DatasetError.self) { try Classes(of: int) }
    // Of several columns the first is the class.
    #expect(try (0..<2).map(data([4, 9, 9, 7, 9, 9], columns: 3).label(at:)) == [4, 7])
    let qmnist: [UInt8] =
      [0, 0, 0, 6] + [UInt8](repeating: 9, count: 28) + [0, 0, 0, 2] + [UInt8](repeating: 8, count: 28)
    #expect(try (0..<2).map(data(qmnist, type: 0x0C, columns: 8).label(at:)) == [6, 2])
    for type in [0x0D, 0x0E] as [UInt8] {
      #expect(throws: IDXError.self) { try data([0, 0, 0, 0, 0, 0, 0, 0], type: type) }
    }
  }

  @Test func tooManyClassesAreRefused() throws {
    let far = try data([0, 0, 0, 1, 0, 1, 0, 1], type: 0x0C)
    let error = #expect(throws: DatasetError.self) { try Classes(of: far) }
    #expect(error?.cause == .tooManyClasses(smallest: 1, largest: 65_537))
    let near = try data([0, 0, 0, 1, 0, 1, 0, 0], type: 0x0C)
    #expect(try Classes(of: near).count == 65_536)
    #expect(Classes(checking: 26, firstLabel: 1) != nil)
    for (count, first) in [(0, 0), (-1, 0), (65_537, 0), (2, Int(Int32.max)), (1, .max), (1, .min), (.max, .max)] {
      #expect(Classes(checking: count, firstLabel: first) == nil)
    }
  }

  @Test func labelsOutsideTheClassesAreNamed() throws {
    let letters = try #require(Classes(checking: 26, firstLabel: 1))
    try data([1, 26]).check(letters)
    for (labels, label, index) in [([3, 0, 4], 0, 1), ([3, 4, 27], 27, 2)] as [([UInt8], Int, Int)] {
      let data = try data(labels)
      let error = #expect(throws: DatasetError(data.name, .label(label, index: index, classes: letters))) {
        try data.check(letters)
      }
      #expect(error?.description.contains("label \(label) at index \(index) is not one of 1 to 26") == true)
    }
  }

  private func writeSet(_ prefix: String, test: String = "test", count: UInt8) throws {
    for part in ["train", test] {
      try scratch.write(
        idx([UInt32(count), 1, 1], [UInt8](repeating: 5, count: Int(count))), to: "\(prefix)\(part)-images-idx3-ubyte")
      try scratch.write(
        idx([UInt32(count)], [UInt8](repeating: 1, count: Int(count))), to: "\(prefix)\(part)-labels-idx1-ubyte")
    }
  }

  private func counts() throws -> [Int] {
    try ImageDataset.Part.allCases.map { try ImageDataset.load(directory: scratch.directory, part: $0).count }
  }

  @Test func aSetsOwnPrefixIsUnderstood() throws {
    try writeSet("emnist-letters-", count: 3)
    #expect(try counts() == [3, 3])
    try writeSet("emnist-balanced-", count: 4)
    for part in ImageDataset.Part.allCases {
      let error = #expect(throws: IDXError.self) {
        try ImageDataset.load(directory: scratch.directory, part: part)
      }
      #expect(error?.cause == .severalSets(["emnist-balanced", "emnist-letters"]))
      #expect(error?.isMissingInput == false)
    }
    // MNIST's own names go first.
    try writeSet("", test: "t10k", count: 5)
    #expect(try counts() == [5, 5])
  }

  @Test func qmnistsNamesAreUnderstood() throws {
    try writeSet("qmnist-", count: 2)
    for part in ["train", "test"] {
      unsafe unlink(scratch.path("qmnist-\(part)-labels-idx1-ubyte"))
      try scratch.write(
        gzipped(idx([2, 8], [UInt8](repeating: 0, count: 64), type: 0x0C)), to: "qmnist-\(part)-labels-idx2-int.gz")
    }
    #expect(try counts() == [2, 2])
  }

  /// The good file is the last of its names; what stands under the others must neither be taken nor block.
  @Test func theFirstFileThatCanBeRightIsTaken() throws {
    try writeSet("", test: "t10k", count: 2)
    for (stem, type) in [("train-images", "idx3-ubyte"), ("t10k-labels", "idx1-ubyte")] {
      let good = try Data(contentsOf: URL(filePath: scratch.path("\(stem)-\(type)")))
      unsafe unlink(scratch.path("\(stem)-\(type)"))
      try FileManager.default.createDirectory(
        atPath: scratch.path("\(stem)-\(type)"), withIntermediateDirectories: true)
      #expect(unsafe mkfifo(scratch.path("\(stem).\(type)"), 0o600) == 0)
      try scratch.write([], to: "\(stem)-\(type).gz")
      try scratch.write(gzipped([UInt8](good)), to: "\(stem).\(type).gz")
    }
    #expect(try counts() == [2, 2])
  }

  /// Where no name can be right, the line says what is wrong with the first that is there.
  @Test func whatIsWrongWithTheOnlyFileIsSaid() throws {
    let name = "train-images-idx3-ubyte"
    for (make, reason) in [
      ({ unsafe mkdir($0, 0o700) == 0 }, "it is a directory"),
      ({ unsafe mkfifo($0, 0o600) == 0 }, "not a regular file"),
      ({ unsafe symlink("nowhere", $0) == 0 }, "a symbolic link to a file that is not there"),
      ({ unsafe symlink($0, $0) == 0 }, "Too many levels of symbolic links"),
    ] as [((String) -> Bool, String)] {
      #expect(make(scratch.path(name)))
      #expect(throws: IDXError(path: scratch.path(name), cause: .unreadable(reason: reason))) {
        try ImageDataset.load(directory: scratch.directory, part: .train)
      }
      unsafe remove(scratch.path(name))
    }
    try scratch.write([], to: name)
    #expect(throws: IDXError(path: scratch.path(name), cause: .truncated(expected: 8, found: 0))) {
      try ImageDataset.load(directory: scratch.directory, part: .train)
    }
  }

  @Test func permissionIsNotAbsence() throws {
    let loop = scratch.path("loop")
    #expect(unsafe symlink(loop, loop) == 0)
    let long = scratch.path(String(repeating: "long", count: 100))
    for (path, reason) in [
      (loop, "Too many levels of symbolic links"), (long, "File name too long"),
      ("\(loop)/data", "Too many levels of symbolic links"),
    ] {
      let error = #expect(throws: IDXError(path: path, cause: .unreadable(reason: reason))) {
        try ImageDataset.directory(named: path)
      }
      #expect(error?.isMissingInput == true)
    }
  }

  /// What is in memory is what was read: the file may be overwritten or cut.
  @Test func aFileThatChangesLaterChangesNothing() throws {
    let dataset = try data([1, 2, 3])
    let digest = try data([1, 2, 3]).digest
    for name in ["images", "labels"] {
      let file = unsafe open(scratch.path(name), O_WRONLY)
      unsafe pwrite(file, [9, 9, 9] as [UInt8], 3, 9)
      #expect(unsafe truncate(scratch.path(name), 5) == 0)
      close(file)
    }
    #expect((0..<3).map(dataset.label(at:)) == [1, 2, 3])
    #expect(dataset.digest == digest)
  }
}
