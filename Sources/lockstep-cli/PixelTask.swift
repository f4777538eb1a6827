import Lockstep

extension PixelTask {
  /// The names of the models whose task `isMeant`, for help and for errors: `gpt or wavenet`.
  static func models(where isMeant: (PixelTask) -> Bool = { _ in true }) -> String {
    let names = named.filter { isMeant($0.task) }.map(\.model)
    return (names.dropLast().joined(separator: ", ") + " or " + (names.last ?? ""))
  }

  /// The models that predict black and white pixels.
  static var blackAndWhite: String { models { $0.kind.isBlackAndWhite } }

  /// The images of `data` as the model takes them; those of an evaluation follow from seed 0, so that runs of other seeds are measured on the
  /// same images. Throws with 65 if they do not fit.
  func prepare(_ data: any Dataset, _ way: BinariseOption.Way) throws -> any Dataset {
    do {
      guard kind.isBlackAndWhite else { return try HiddenPatches(of: data) }
      return try BinarisedPixels(of: data, poolingBy: pooling, way.binarisation)
    } catch {
      throw TrainingError(error)
    }
  }
}
