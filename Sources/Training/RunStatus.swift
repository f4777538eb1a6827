/// Where a run stands, as `status.json` in its directory says while it goes on.
public struct RunStatus: Sendable, Codable {
  /// One rank's part in the last epoch that ended.
  public struct Rank: Sendable, Codable {
    /// The place of its host in ``RunStatus/hosts``.
    public let host: Int
    /// Seconds of its own work; nil before an epoch has ended.
    public let compute: Double?
    /// Seconds of waiting for other ranks.
    public let waiting: Double?
  }

  /// The file's name in a run directory.
  public static let fileName = "status.json"

  /// The model's name.
  public let model: String
  /// The process of rank 0, on the first of ``hosts``.
  public let process: Int
  /// Seconds since 1970 when this was written.
  public let time: Double
  /// Whether the run has ended after its last step.
  public let isFinished: Bool
  /// The present epoch, from 1.
  public let epoch: Int
  /// The number of epochs of the run.
  public let epochs: Int
  /// Steps since the run's beginning.
  public let step: Int
  /// Samples of the present epoch that have been trained on.
  public let samplesDone: Int
  /// Samples that an epoch trains on.
  public let samplesInEpoch: Int
  /// The rate since the present epoch began; nil before its first step.
  public let samplesPerSecond: Double?
  /// The mean training loss of the present epoch; nil before its first step.
  public let loss: Double?
  /// The training accuracy of the present epoch, 0 to 1; nil before its first step, and where the loss has none.
  public let accuracy: Double?
  /// Seconds a rank that the reductions of the last epoch took without waiting; nil before an epoch has ended.
  public let communication: Double?
  /// The names of the hosts, in the order of their first ranks.
  public let hosts: [String]
  /// Every rank, in order.
  public let ranks: [Rank]

  enum CodingKeys: String, CodingKey {
    case model, process, time, epoch, epochs, step, loss, accuracy, communication, hosts, ranks
    case isFinished = "finished"
    case samplesDone = "samples_done"
    case samplesInEpoch = "samples_in_epoch"
    case samplesPerSecond = "samples_per_second"
  }

  /// The status of `run`, written by `process` at `time` in seconds since 1970.
  ///
  /// - Parameters:
  ///   - progress: the present epoch's; nil before the first step.
  ///   - split: where the time of the last epoch went; nil before one has ended.
  public init(
    _ run: RunDescription, _ progress: EpochProgress?, _ split: TimeSplit?, isFinished: Bool, process: Int, time: Double
  ) {
    (model, self.process, self.time, self.isFinished) = (run.recipe.model.name, process, time, isFinished)
    (epoch, epochs) = (progress?.epoch ?? min(run.epochsDone + 1, run.recipe.epochs), run.recipe.epochs)
    step = progress?.step ?? run.resumedAtStep
    (samplesDone, samplesInEpoch) = (progress?.samplesDone ?? 0, run.samples)
    samplesPerSecond = progress?.samplesPerSecond
    // A mean over no samples is not a number.
    loss = progress.flatMap { $0.loss.isNaN ? nil : $0.loss }
    accuracy = progress?.accuracy.flatMap { $0.isNaN ? nil : $0 }
    communication = split?.communication
    var hosts: [String] = []
    var places: [Int] = []
    for name in run.hostNames {
      let place = hosts.firstIndex(of: name) ?? hosts.count
      if place == hosts.count { hosts.append(name) }
      places.append(place)
    }
    self.hosts = hosts
    ranks = places.enumerated().map { rank, place in
      let time = split?.ranks[rank]
      return Rank(host: place, compute: time?.compute, waiting: time?.waiting)
    }
  }
}
