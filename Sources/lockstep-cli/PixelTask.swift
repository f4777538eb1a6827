import Lockstep

/// The task of a model that predicts an image's pixels from one another, which follows from its name; other models classify.
enum PixelTask: String, CaseIterable {
  case gpt, wavenet

  /// The names of these models, for help and for errors.
  static var names: String { allCases.map(\.rawValue).joined(separator: " or ") }

  /// What its outputs are compared by.
  var objective: Objective {
    switch self {
    case .gpt: .pixelsBySoftmax
    case .wavenet: .pixelsBySigmoid
    }
  }

  /// The side of the squares whose means are its pixels.
  var side: Int {
    switch self {
    case .gpt: 2
    case .wavenet: 1
    }
  }

  /// The images of `data` as the model takes them.
  func prepare(_ data: any Dataset, _ way: BinariseOption.Way) throws -> any Dataset {
    do { return try BinarisedPixels(of: data, poolingBy: side, way.binarisation) } catch { throw TrainingError(error) }
  }
}
