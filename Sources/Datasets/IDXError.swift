import Primitives
import Tensors

/// A file of a data set that cannot be read: its path, and what is wrong with it.
public struct IDXError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file or directory that is missing or wrong.
  public let path: String
  /// The fault of the file.
  public let cause: Cause

  /// An error about the file at `path`.
  public init(path: String, cause: Cause) {
    self.path = path
    self.cause = cause
  }

  /// The faults that a data set's files can have.
  public enum Cause: Error, Hashable {
    /// The directory does not exist. `name` is the data set, if it is one that `launch/fetch` can fetch.
    case noDirectory(name: String?)
    /// No variable names the directory of fetched data sets. The path is the set's name.
    case noCacheDirectory
    /// The file does not exist under any of the names that it may have.
    case missing
    /// The file cannot be read, for this reason.
    case unreadable(reason: String)
    /// The file does not begin with two zero bytes, but with these.
    case magic(UInt8, UInt8)
    /// The elements are of this type, which is not one of those expected.
    case elementType(UInt8, expected: [IDXFile.ElementType])
    /// The number of extents is not in the expected range.
    case rank(Int, expected: ClosedRange<Int>)
    /// One of the extents is zero.
    case zeroExtent([Int])
    /// The size that the extents give does not fit in a machine word.
    case overflow([Int])
    /// The unpacked file ends after `found` bytes. nil if its packed size already shows that it is too short.
    case truncated(expected: Int, found: Int?)
    /// Bytes follow the last element.
    case trailingBytes(expected: Int)
    /// The numbers of labels and of images differ. `path` is that of the labels.
    case countsDiffer(images: Int, labels: Int)
    /// The file, or the data made of it, takes more memory than there is, both in bytes.
    case memory(bytes: Double, available: Int)
    /// The directory holds several data sets, which have these prefixes.
    case severalSets([String])
    /// The gzip stream around the IDX file is damaged.
    case gzip(GzipDamage)
  }

  /// The faults that a gzip stream can have.
  public enum GzipDamage: Hashable, Sendable {
    /// The stream ends before its end mark and checksum.
    case truncated
    /// The stream cannot be unpacked, or its checksum is wrong, in zlib's words.
    case corrupt(String)
    /// Bytes, of this number, follow the stream, and are no gzip stream.
    case trailingBytes(Int)
  }

  /// Whether the file is missing or cannot be read (exit code 66). Else its content is wrong (exit code 65).
  public var isMissingInput: Bool {
    switch cause {
    case .noDirectory, .noCacheDirectory, .missing, .unreadable: true
    default: false
    }
  }

  /// One line: the file, what is wrong with it, and what to do.
  public var description: String { "\(path): \(problem); \(remedy)" }

  private var problem: String {
    switch cause {
    case .noDirectory(let name): name.map { "\($0) has not been fetched" } ?? "no such directory"
    case .noCacheDirectory: "neither XDG_CACHE_HOME nor HOME is set to an absolute path"
    case .missing: "no such file, nor one by its other names (.gz, a dot before idx, a set's name in front)"
    case .unreadable(let reason): "cannot be read: \(reason)"
    case .magic(let first, let second):
      "not an IDX file: it begins with bytes \(first) and \(second) instead of 0 and 0"
    case .elementType(let type, let expected):
      "its elements are \(IDXFile.ElementType(rawValue: type)?.name ?? "of no known type") (IDX type \(type)), not "
        + expected.map(\.name).joined(separator: ", ")
    case .rank(let rank, let expected):
      "an IDX file of \(rank) extents where \(expected.map(String.init).joined(separator: " or ")) were expected"
    case .zeroExtent(let extents): "an IDX file without elements: its extents are \(Self.product(extents))"
    case .overflow(let extents): "its extents \(Self.product(extents)) are too large for this machine"
    case .truncated(let expected, .some(let found)): "truncated: \(found) of \(expected) bytes"
    case .truncated(let expected, .none): "truncated: too short to hold the \(expected) bytes that it promises"
    case .trailingBytes(let expected): "bytes follow the \(expected) that its header promises"
    case .countsDiffer(let images, let labels): "\(labels) labels for \(images) images"
    case .memory(let bytes, let available):
      "takes \(megabytes(bytes)) of memory, and there are \(megabytes(Double(available)))"
    case .severalSets(let prefixes): "holds several data sets: \(prefixes.joined(separator: ", "))"
    case .gzip(.truncated): "truncated: the gzip stream has no end"
    case .gzip(.corrupt(let reason)): "damaged gzip stream (\(reason))"
    case .gzip(.trailingBytes(let count)): "\(count) \(count == 1 ? "byte follows" : "bytes follow") the gzip stream"
    }
  }

  private var remedy: String {
    switch cause {
    case .noDirectory(.some(let name)): "run launch/fetch \(name)"
    case .noCacheDirectory: "give \(Setting.data) a directory, or set HOME"
    case .noDirectory(.none): "give mnist, fashion-mnist or a directory that holds the four IDX files"
    case .missing: "put it there, or give mnist or fashion-mnist and run launch/fetch"
    case .unreadable: "check its type and permissions"
    case .elementType, .rank:
      "give images as [count, rows, columns] of unsigned bytes, and labels as [count] or [count, columns] of integers"
    case .countsDiffer: "images and labels must come from the same set"
    case .memory: "free memory, raise the limit (ulimit -v), or take a machine with more"
    case .severalSets: "put the four files of one of them into a directory of their own"
    default: "replace it; launch/fetch replaces damaged MNIST and Fashion-MNIST files"
    }
  }

  private static func product(_ extents: [Int]) -> String { extents.map(String.init).joined(separator: " × ") }
}
