/// The cost of a message (Hockney 1994): n floats take α + n·β seconds.
public struct MessageCost: Sendable, Equatable {
  /// α: the seconds before the first float arrives.
  public var latency: Double
  /// β: the seconds of every float.
  public var secondsPerFloat: Double

  /// A cost of these seconds.
  public init(latency: Double, secondsPerFloat: Double) {
    self.latency = latency
    self.secondsPerFloat = secondsPerFloat
  }

  /// The cost that explains measured `loads` best: least squares of the relative error, because the times span orders
  /// of magnitude.
  ///
  /// Neither α nor β is ever negative. nil for fewer than two different loads.
  public init?(fitting loads: [(load: ReductionLoad, seconds: Double)]) {
    guard Set(loads.map(\.load.floats)).count >= 2, loads.allSatisfy({ $0.seconds > 0 }) else { return nil }
    // Σ over loads of (messages·α + floats·β)/seconds = 1: two normal equations.
    var (mm, mf, ff, m1, f1) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for (load, seconds) in loads {
      let messages = Double(load.messages) / seconds
      let floats = Double(load.floats) / seconds
      mm += messages * messages
      mf += messages * floats
      ff += floats * floats
      m1 += messages
      f1 += floats
    }
    let determinant = mm * ff - mf * mf
    guard determinant > 0 else { return nil }
    latency = (m1 * ff - f1 * mf) / determinant
    secondsPerFloat = (f1 * mm - m1 * mf) / determinant
    if latency < 0 {
      latency = 0
      secondsPerFloat = f1 / ff
    } else if secondsPerFloat < 0 {
      secondsPerFloat = 0
      latency = m1 / mm
    }
  }
}
