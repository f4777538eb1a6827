/// The clients of a finished federated run, as `summary.json` holds them.
public struct FederationSummary: Sendable, Codable, Equatable {
  /// The number of clients.
  public var clients: Int
  /// The updates that were added up in all rounds of this process.
  public var updates: Int
  /// The clients that were chosen and dropped out in these rounds.
  public var dropped: Int
  /// The spread of the model's accuracy over the clients' own data; nil if it was not measured.
  public var accuracy: ClientSpread?

  package init(clients: Int, updates: Int, dropped: Int, accuracy: ClientSpread?) {
    (self.clients, self.updates, self.dropped, self.accuracy) = (clients, updates, dropped, accuracy)
  }
}

/// The spread of one figure over the clients, each counted once however much data it has.
public struct ClientSpread: Sendable, Codable, Equatable {
  /// The mean.
  public var mean: Double
  /// The standard deviation over all clients.
  public var standardDeviation: Double
  /// The mean over the tenth of the clients with the least, at least one of them.
  public var worstTenth: Double
  /// The mean over the tenth with the most.
  public var bestTenth: Double

  enum CodingKeys: String, CodingKey {
    case mean
    case standardDeviation = "standard_deviation"
    case worstTenth = "worst_tenth"
    case bestTenth = "best_tenth"
  }

  /// The spread of `values`, one a client; nil of none.
  public init?(_ values: [Double]) {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let tenth = (sorted.count + 9) / 10
    func mean(_ values: some Collection<Double>) -> Double { values.reduce(0, +) / Double(values.count) }
    let middle = mean(sorted)
    self.mean = middle
    standardDeviation = mean(sorted.map { ($0 - middle) * ($0 - middle) }).squareRoot()
    worstTenth = mean(sorted.prefix(tenth))
    bestTenth = mean(sorted.suffix(tenth))
  }
}
