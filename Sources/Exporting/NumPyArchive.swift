import Checkpoints
import Exchange
import NeuralNetworks
import Tensors

/// Tensors as a `.npz` file, NumPy's archive of arrays: `numpy.load` reads it, without pickles, and so do other programs that know `.npy`.
public enum NumPyArchive {
  /// An array of the archive.
  private struct Entry {
    var name: String
    var header: [UInt8]
    /// The bytes of header and elements.
    var count: Int
  }

  /// Writes `tensors`, each name once, as the file at `path`, uncompressed, durably and atomically.
  ///
  /// Throws `ModelError` if the elements are of a type that is not written, or are more than the archive holds, 4 GiB; `FileWriteError` if
  /// the file cannot be written.
  public static func write(_ tensors: [any StorableTensor], to path: String) throws {
    let entries = try tensors.map { try entry(of: $0) }
    let size = ZIPArchive.size(of: entries.map { (name: $0.name, count: $0.count) })
    guard size <= ZIPArchive.mostBytes, entries.count <= ZIPArchive.mostEntries else {
      throw ModelError("\(entries.count) arrays of \(size) bytes are more than a .npz file holds; give safetensors")
    }
    var archive = ZIPArchive()
    try AtomicFile.write(to: path) { file throws(FileWriteError) in
      for (entry, tensor) in zip(entries, tensors) {
        var checksum = CRC32(of: entry.header)
        tensor.withBytes { checksum.update($0) }
        try file.write(archive.header(of: entry.name, checksum: checksum.value, count: entry.count) + entry.header)
        try tensor.withBytes { bytes throws(FileWriteError) in try file.write(bytes) }
      }
      try file.write(archive.end)
    }
  }

  private static func entry(of tensor: any StorableTensor) throws -> Entry {
    let element: NumPyHeader.Element
    switch tensor.elementType {
    case .float32: element = .float32
    case .int64: element = .int64
    default:
      throw ModelError("\(tensor.name): elements of type \(tensor.elementType.rawValue) are not written for NumPy")
    }
    let header = NumPyHeader(element, shape: tensor.shape.extents).bytes
    let elements = tensor.shape.count * tensor.elementType.byteCount
    return Entry(name: "\(tensor.name).npy", header: header, count: header.count + elements)
  }
}
