/// The hosts of all ranks. Ranks of one host share memory.
///
/// A test may say that ranks of one machine are on several: everything follows from this value.
public struct HostMap: Sendable, Equatable {
  /// The ranks of each host, in order; the hosts in the order of their first ranks.
  public let ranks: [[Int]]
  private let hosts: [Int]

  /// The number of ranks.
  public var rankCount: Int { hosts.count }

  /// A map of as many ranks as `colours`: those of one colour are on one host.
  public init(colours: [Int]) {
    var order: [Int] = []
    for colour in colours where !order.contains(colour) { order.append(colour) }
    ranks = order.map { colour in colours.indices.filter { colours[$0] == colour } }
    hosts = colours.map { colour in order.firstIndex(of: colour) ?? 0 }
  }

  /// Every rank on a host of its own: nothing is shared.
  public static func apart(_ size: Int) -> HostMap { HostMap(colours: Array(0..<size)) }

  /// All ranks on one host.
  public static func together(_ size: Int) -> HostMap { HostMap(colours: Array(repeating: 0, count: size)) }

  /// The host that `rank` is on, as an index of ``ranks``.
  public func host(of rank: Int) -> Int { hosts[rank] }

  /// The ranks that share memory with `rank`, itself among them.
  public func neighbours(of rank: Int) -> [Int] { ranks[hosts[rank]] }

  /// The rank of `host` that exchanges messages with `rank`, of another host, for its whole host. The work is spread
  /// over the host's ranks.
  func delegate(of host: Int, to rank: Int) -> Int {
    let place = neighbours(of: rank).firstIndex(of: rank) ?? 0
    return ranks[host][place % ranks[host].count]
  }
}
