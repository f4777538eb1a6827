/// A layer that can stand in a model's file, as `{"type": "Conv2D", "filters": 32, "kernel": 3}`.
///
/// What ``properties`` writes, ``init(from:)`` reads back as an equal layer. A property that has its usual value is left
/// out of the file, so a layer can be given another one, and files and checkpoints from before keep their meaning.
///
///     extension Dense: DescribedLayer {
///       public var properties: [LayerProperty] { [.integer("units", units)] }
///       public init(from reader: inout LayerReader) throws { self.init(try reader.size("units")) }
///     }
///
/// A built-in layer has a line in ``LayerTable/builtIn``.
public protocol DescribedLayer: LayerSpecification {
  /// The layer's name in a file: by default that of its type.
  static var typeName: String { get }

  /// The properties, in the order of the file.
  var properties: [LayerProperty] { get }

  /// Reads the layer's properties. Throws ``ModelDescriptionError`` if one is missing or cannot be: a value that passes
  /// must not trap later.
  init(from reader: inout LayerReader) throws
}

extension DescribedLayer {
  public static var typeName: String { "\(Self.self)" }
  public var properties: [LayerProperty] { [] }
}
