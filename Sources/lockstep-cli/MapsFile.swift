import Lockstep

/// A file of pictures and their maps, in one of the formats that its name can end with.
///
/// Its arrays are `pictures` [pictures, input shape] and, for each method, one of its name [pictures, map shape], 32-bit floats.
struct MapsFile {
  /// The formats.
  enum Format: String, CaseIterable {
    case safetensors
    case npz
  }

  /// The names that a file can have, for help and for errors.
  static let forms = Format.allCases.map { "FILE.\($0.rawValue)" }.joined(separator: " or ")

  private let path: String
  private let format: Format

  /// The file at `path`; nil unless it ends as a ``Format`` does.
  init?(_ path: String) {
    guard let format = Format.allCases.first(where: { path.hasSuffix(".\($0.rawValue)") }) else { return nil }
    (self.path, self.format) = (path, format)
  }

  /// Writes the file, durably and atomically.
  func write(_ explanations: Explanations) throws {
    let pictures = explanations.pictures
    var tensors = [
      NamedTensor(
        name: "pictures", shape: Shape([pictures.count] + explanations.shape.extents),
        values: Buffer(pictures.flatMap(\.pixels)))
    ]
    for (place, map) in (pictures.first?.maps ?? []).enumerated() {
      tensors.append(
        NamedTensor(
          name: map.method, shape: Shape([pictures.count] + map.attribution.shape.extents),
          values: Buffer(pictures.flatMap { $0.maps[place].attribution.values.array })))
    }
    switch format {
    case .safetensors: try SafeTensors.write(tensors, to: path)
    case .npz: try NumPyArchive.write(tensors, to: path)
    }
  }
}
