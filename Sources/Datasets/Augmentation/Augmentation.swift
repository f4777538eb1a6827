import Tensors

/// The random changes of the images that a network is trained on, one after the other: `--augment`.
///
///     try Augmentation("shift:2,rotate:10,elastic")
public struct Augmentation: Sendable, CustomStringConvertible {
  /// The changes, in their order.
  public let transformations: [any Transformation]
  /// The mixing of samples after all changes; nil for none.
  public let mixup: Mixup?

  /// The changes that a text can name, for help and for errors.
  public static let forms = [
    "shift:PIXELS", "rotate:DEGREES", "scale:PART", "shear:DEGREES", "elastic[:ALPHA[:SIGMA]]", "flip", "crop:PIXELS",
    "erase[:PROBABILITY]", "mixup[:ALPHA]",
  ]

  /// These changes, in this order, and then this mixing.
  public init(_ transformations: [any Transformation], mixup: Mixup? = nil) {
    (self.transformations, self.mixup) = (transformations, mixup)
  }

  /// Reads the names of changes with their constants (``forms``), divided by commas. Each may come once. The order is
  /// that of the changes, but `shift`, `rotate`, `scale` and `shear` are one ``AffineTransformation``, in the place of
  /// the first of them, and `mixup` comes after all others, wherever it stands.
  ///
  /// Throws ``AugmentationError`` for any other text, and for constants out of their ranges.
  public init(_ text: String) throws(AugmentationError) {
    func error(_ fault: String) -> AugmentationError {
      AugmentationError("\(Setting.augmentation) \(escaped(text)): \(fault)")
    }
    var transformations: [any Transformation] = []
    var mixup: Mixup?
    var names: Set<String> = []
    var affine = AffineTransformation()
    var affinePlace: Int?
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      let numbers = words.dropFirst().compactMap { Float($0) }
      let pixels = numbers.first.flatMap { Int(exactly: $0) }
      guard numbers.count == words.count - 1 else { throw error("the constants of \(quoted(words[0])) are no numbers") }
      guard names.insert(words[0]).inserted else { throw error("\(words[0]) comes twice; name it once") }
      switch (words[0], numbers.count, pixels) {
      case ("shift", 1, let pixels?): affine.shift = pixels
      case ("rotate", 1, _): affine.rotate = numbers[0]
      case ("scale", 1, _): affine.scale = numbers[0]
      case ("shear", 1, _): affine.shear = numbers[0]
      case ("elastic", 0...2, _):
        transformations.append(
          ElasticDeformation(
            alpha: numbers.first ?? ElasticDeformation.usual.alpha,
            sigma: numbers.dropFirst().first ?? ElasticDeformation.usual.sigma))
      case ("flip", 0, _): transformations.append(HorizontalFlip())
      case ("crop", 1, let pixels?): transformations.append(RandomCrop(padding: pixels))
      case ("erase", 0...1, _): transformations.append(RandomErasing(probability: numbers.first ?? 0.5))
      case ("mixup", 0...1, _): mixup = Mixup(alpha: numbers.first ?? Mixup.usualAlpha)
      default: throw error("\(quoted(String(part))) is no change; there are: \(Self.forms.joined(separator: ", "))")
      }
      guard ["shift", "rotate", "scale", "shear"].contains(words[0]) else { continue }
      guard numbers[0] != 0 else { throw error("\(part) changes nothing; leave it out") }
      affinePlace = affinePlace ?? transformations.count
    }
    if let affinePlace { transformations.insert(affine, at: affinePlace) }
    self.init(transformations, mixup: mixup)
    if let fault { throw error(fault) }
  }

  /// The text that ``init(_:)`` reads, if all changes are those of this module.
  public var description: String {
    (transformations.map(\.description) + (mixup.map { [$0.description] } ?? [])).joined(separator: ",")
  }

  /// The fault of the changes' constants, in one line; nil if they have none.
  public var fault: String? { transformations.lazy.compactMap(\.fault).first ?? mixup?.fault }

  /// The fault of the changes for inputs of this shape, in one line; nil if they fit.
  public func fault(for shape: Shape) -> String? {
    guard let image = ImageExtents(shape) else {
      return
        "\(Setting.augmentation) changes images, [rows, columns, channels], and the data's inputs are of shape \(shape)"
    }
    return transformations.lazy.compactMap { $0.fault ?? $0.fault(for: image) }.first
      .map { "\(Setting.augmentation) \(escaped(description)): \($0)" }
  }

  /// The floats that ``apply(to:_:workspace:drawing:)`` works in.
  func workspaceCount(for image: ImageExtents) -> Int {
    image.count + (transformations.map { $0.workspaceCount(for: image) }.max() ?? 0)
  }

  /// Changes `sample`, an image, in its place.
  func apply(to sample: Buffer<Float>, _ image: ImageExtents, workspace: Buffer<Float>, drawing words: inout Philox) {
    let (source, rest) = (workspace.prefix(image.count), workspace[image.count..<workspace.count])
    for transformation in transformations {
      source.copy(from: sample)
      transformation.apply(
        to: source, image, into: sample, workspace: rest.prefix(transformation.workspaceCount(for: image)),
        drawing: &words)
    }
  }
}

extension ImageExtents {
  /// The image of samples of `shape`; nil if they are no images.
  init?(_ shape: Shape) {
    guard shape.rank == 3, shape.extents.allSatisfy({ 1...32_768 ~= $0 }) else { return nil }
    self.init(rows: shape[0], columns: shape[1], channels: shape[2])
  }
}
