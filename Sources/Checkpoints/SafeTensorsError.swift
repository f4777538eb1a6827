import Glibc
import Tensors

/// A safetensors file that cannot be read, is damaged, or holds other tensors than asked for.
///
/// The program exits with 66 if ``fileIsMissing``, else with 65.
public struct SafeTensorsError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The problem with the file. Messages show names from the file quoted and shortened.
  public enum Problem: Error, Hashable, Sendable {
    /// The system could not open or read the file.
    case unreadable(code: Int32)
    /// The path leads to a directory, a pipe or a device.
    case notARegularFile
    /// The file has fewer than the 8 bytes of the header's length.
    case tooShort(byteCount: Int)
    /// The header is longer than ``SafeTensors/headerLimit``.
    case headerTooLong(UInt64)
    /// The file ends inside the header.
    case headerCut(declared: Int, present: Int)
    /// The header's JSON is wrong at this byte of the header.
    case headerSyntax(offset: Int, expected: String)
    /// An object of the header has this key twice.
    case duplicateKey(String)
    /// A tensor has an element type that the format does not have.
    case unknownElementType(tensor: String, type: String)
    /// A tensor's size in bytes does not fit 64 bits.
    case sizeOverflow(tensor: String)
    /// A tensor's offsets do not span the bytes that its shape and type need.
    case sizeDiffers(tensor: String, shape: Shape, needed: Int, begin: Int, end: Int)
    /// A tensor begins before the one before it ends.
    case overlap(tensor: String, begin: Int, previousEnd: Int)
    /// A tensor leaves unused bytes before itself.
    case hole(tensor: String, begin: Int, previousEnd: Int)
    /// The file ends inside the data.
    case dataCut(needed: Int, present: Int)
    /// The file goes on after the data.
    case trailingBytes(count: Int)
    /// The checksum `key` is missing. If it is that of the file, there may be none at all.
    case checksumMissing(key: String)
    /// A checksum is not 64 lower-case hexadecimal digits, or is of a tensor that the file does not have.
    case checksumMalformed(key: String)
    /// The file's bytes have another checksum than it says.
    case fileDamaged(expected: String, found: String)
    /// A tensor's bytes have another checksum than the file says.
    case tensorDamaged(tensor: String, expected: String, found: String)
    /// The file has no tensor of this name.
    case tensorMissing(String)
    /// A tensor has another element type than asked for.
    case elementTypeDiffers(tensor: String, expected: ElementType, found: ElementType)
    /// A tensor has another shape than asked for.
    case shapeDiffers(tensor: String, expected: Shape, found: Shape)
  }

  /// The file.
  public let path: String
  /// The problem with it.
  public let problem: Problem

  init(path: String, _ problem: Problem) {
    self.path = path
    self.problem = problem
  }

  /// Whether the file does not exist. A name that is too long counts, because no file can have it.
  public var fileIsMissing: Bool {
    [ENOENT, ENOTDIR, ENAMETOOLONG].contains { problem == .unreadable(code: $0) }
  }

  /// One line: the file, what is wrong and what to do.
  public var description: String { singleLine("\(path): \(problem.description); \(problem.advice)") }
}

extension SafeTensorsError.Problem: CustomStringConvertible {
  /// The problem in words, without the file's name.
  public var description: String {
    switch self {
    case .unreadable(let code): "cannot be read: \(systemErrorText(code))"
    case .notARegularFile: "is not a regular file"
    case .tooShort(let byteCount): "has \(byteCount) bytes, fewer than the 8 that every safetensors file begins with"
    case .headerTooLong(let count):
      "its header claims \(count) bytes, more than the \(SafeTensors.headerLimit) that are allowed"
    case .headerCut(let declared, let present): "its header of \(declared) bytes is cut after \(present)"
    case .headerSyntax(let offset, let expected): "its header is damaged at byte \(offset): expected \(expected)"
    case .duplicateKey(let key): "its header has the key \(quoted(key)) twice"
    case .unknownElementType(let tensor, let type):
      "tensor \(quoted(tensor)) has the unknown element type \(quoted(type))"
    case .sizeOverflow(let tensor): "tensor \(quoted(tensor)) is larger than any file"
    case .sizeDiffers(let tensor, let shape, let needed, let begin, let end):
      "tensor \(quoted(tensor)) of shape \(shape) needs \(needed) bytes but has the offsets \(begin) to \(end)"
    case .overlap(let tensor, let begin, let previousEnd):
      "tensor \(quoted(tensor)) begins at \(begin), inside the one before it, which ends at \(previousEnd)"
    case .hole(let tensor, let begin, let previousEnd):
      "tensor \(quoted(tensor)) begins at \(begin), but the one before it ends at \(previousEnd)"
    case .dataCut(let needed, let present): "its data of \(needed) bytes is cut after \(present)"
    case .trailingBytes(let count): "has \(count) bytes after its data"
    case .checksumMissing(let key): "has no checksum \(quoted(key))"
    case .checksumMalformed(let key): "its checksum \(quoted(key)) is none"
    case .fileDamaged(let expected, let found): "is damaged: its SHA-256 is \(found) instead of \(expected)"
    case .tensorDamaged(let tensor, let expected, let found):
      "tensor \(quoted(tensor)) is damaged: its SHA-256 is \(found) instead of \(expected)"
    case .tensorMissing(let tensor): "has no tensor \(quoted(tensor))"
    case .elementTypeDiffers(let tensor, let expected, let found):
      "tensor \(quoted(tensor)) is of type \(found.rawValue) instead of \(expected.rawValue)"
    case .shapeDiffers(let tensor, let expected, let found):
      "tensor \(quoted(tensor)) has shape \(found) instead of \(expected)"
    }
  }

  var advice: String {
    switch self {
    case .unreadable(ENOENT), .unreadable(ENOTDIR), .unreadable(ENAMETOOLONG): "check the name"
    case .unreadable: "check the file's permissions and the disk"
    case .notARegularFile: "give a safetensors file"
    case .tensorMissing, .elementTypeDiffers, .shapeDiffers: "give the file of the same model"
    case .checksumMissing(SafeTensors.fileChecksumKey): "give a file that this program wrote"
    default: "use another copy or an older checkpoint"
    }
  }
}
