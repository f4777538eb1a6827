/// The samples of an evaluation whose predicted class has about the same probability: a bar of a reliability diagram (Guo et al. 2017,
/// "On Calibration of Modern Neural Networks", fig. 1).
public struct ReliabilityBin: Sendable, Codable, Hashable {
  /// The number of samples.
  public var samples: Int
  /// The part of them that is predicted rightly; 0 without samples.
  public var accuracy: Double
  /// The mean probability of their predicted class; 0 without samples.
  public var confidence: Double
}
