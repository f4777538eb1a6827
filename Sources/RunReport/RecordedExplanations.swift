import Checkpoints
import FoundationEssentials
import Tensors
import Training

/// The file `explanations.json` of a run directory: pictures, and the maps that say why its network takes them for what it does.
public struct RecordedExplanations: Codable, Sendable {
  /// The step of the weights that are explained.
  public let step: Int
  /// What is explained of a class: `logit` or `probability`.
  public let score: String
  /// The value of a pixel that is not there.
  public let baseline: Float
  /// The pictures, in order.
  public let pictures: [Explained]

  /// A picture with its maps.
  public struct Explained: Codable, Sendable {
    /// The name for a reader: a file's, or that of a test image.
    public let name: String
    /// The class it has, if that is known.
    public let own: String?
    /// The class that the network takes it for.
    public let predicted: String
    /// The probability of that class.
    public let probability: Float
    /// The class that is explained.
    public let target: String
    /// The picture as a PNG file.
    public let png: Data
    /// The maps, in order.
    public let maps: [Map]

    /// A picture.
    public init(
      name: String, own: String?, predicted: String, probability: Float, target: String, png: [UInt8], maps: [Map]
    ) {
      (self.name, self.own, self.predicted, self.probability) = (name, own, predicted, probability)
      (self.target, self.png, self.maps) = (target, Data(png), maps)
    }
  }

  /// A map over its picture.
  public struct Map: Codable, Sendable {
    /// The name of the method.
    public let method: String
    /// The gap of its completeness as a part of the score's range; nil where the method promises none.
    public let gap: Double?
    /// The area below the curve of deletion.
    public let deletion: Double
    /// The area below the curve of insertion.
    public let insertion: Double
    /// The overlay as a PNG file.
    public let png: Data

    /// A map.
    public init(method: String, gap: Double?, deletion: Double, insertion: Double, png: [UInt8]) {
      (self.method, self.gap) = (method, gap)
      (self.deletion, self.insertion, self.png) = (deletion, insertion, Data(png))
    }
  }

  /// The explanations of `pictures` by weights of this step.
  public init(step: Int, score: String, baseline: Float, pictures: [Explained]) {
    (self.step, self.score, self.baseline, self.pictures) = (step, score, baseline, pictures)
  }

  /// The most pictures of a file: a page of more would be slow to open.
  public static let mostPictures = 100

  /// The file's place in a run directory.
  public static func path(in directory: String) -> String { "\(directory)/explanations.json" }

  /// Those of the run in `directory`; nil if there are none. Throws ``TrainingError`` with 65 if the file is not what is written here.
  public init?(directory: String) throws {
    let path = Self.path(in: directory)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    self = try RecordedRun.decode(Self.self, from: try RecordedRun.bytes(path), path)
  }

  /// Writes the file into `directory`, durably and atomically. Throws ``TrainingError`` with 73 if it cannot be written.
  public func write(in directory: String) throws {
    do {
      try AtomicFile.write(try RunJSON.bytes(of: self, isPretty: false), to: Self.path(in: directory))
    } catch {
      throw TrainingError(error)
    }
  }
}
