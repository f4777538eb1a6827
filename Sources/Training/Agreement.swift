import Checkpoints
import Collectives
import Kernels
import Tensors

extension Communicator {
  /// Runs `body` on every rank and tells all ranks how it went: all return, or all throw the same ``TrainingError``.
  /// Collective.
  ///
  /// The error is that of the first rank that failed, with the rank and its host before it unless all ranks failed
  /// alike. So a file that is missing on one host ends the whole job in order and with one line, and no rank waits for
  /// another in vain.
  public func agree<Result>(_ body: () throws -> Result) throws -> Result {
    let outcome = Swift.Result(catching: body).mapError { TrainingError($0) }
    var report: [UInt8] = []
    if case .failure(let error) = outcome { report = [UInt8(error.code.rawValue)] + Array(error.description.utf8) }
    let reports = try communicating { try gather(report) }
    guard let failed = reports.firstIndex(where: { !$0.isEmpty }) else { return try outcome.get() }
    let hosts = try gatherText(ProcessFacts.hostName)
    let line = String(decoding: reports[failed].dropFirst(), as: UTF8.self)
    let isEverybodys = reports.allSatisfy { $0 == reports[failed] }
    throw TrainingError.agreed(
      TrainingError.Code(rawValue: Int32(reports[failed][0])) ?? .rankFailed,
      isEverybodys ? line : "rank \(failed) on \(hosts[failed]): \(line)")
  }

  /// Rank 0's `text`, on every rank: for values that must be the same and do not follow from the arguments, such as the
  /// time. Collective.
  public func fromFirst(_ text: String) throws -> String { try gatherText(text)[0] }

  /// Every rank's `text`, in rank order. Collective. Throws ``TrainingError`` with 70 if a rank cannot be reached.
  public func gatherText(_ text: String) throws -> [String] {
    try communicating { try gather(Array(text.utf8)) }.map { String(decoding: $0, as: UTF8.self) }
  }

  /// Throws with 64 on every rank if one was started with other arguments, data or code than rank 0: together they
  /// would compute nonsense, or wait for ever. Collective.
  ///
  /// - Parameter facts: names and values, which are compared by name.
  public func requireEqual(_ facts: [(name: String, value: String)]) throws {
    let mine = facts.map { "\($0.name) \($0.value)" }.joined(separator: "\n")
    let all = try gatherText(mine)
    guard let other = all.firstIndex(where: { ExactText($0) != ExactText(all[0]) }) else { return }
    let hosts = try gatherText(ProcessFacts.hostName)
    // By name, so that a fact that one rank alone has does not make those behind it differ.
    let difference = fingerprint(all[other]).differences(from: fingerprint(all[0])).first
    func shown(_ value: String?) -> String {
      guard let difference else { return "other facts" }
      return value.map { "\(difference.key) \($0)" } ?? "no \(difference.key)"
    }
    throw TrainingError.agreed(
      .usage,
      "rank \(other) on \(hosts[other]) has \(shown(difference?.current)), but rank 0 has \(shown(difference?.saved)); "
        + "start every rank with the same arguments, data, program and libraries")
  }

  /// Throws with 64 on every rank if one computes other bits than rank 0, for example with another OpenBLAS.
  /// Collective.
  package func requireEqualArithmetic() throws {
    if size > 1 { try requireEqual(Arithmetic.facts) }
  }
}

/// The names and values in `lines`, one pair a line.
private func fingerprint(_ lines: String) -> Fingerprint {
  var fingerprint = Fingerprint()
  for line in lines.split(separator: "\n") {
    let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    fingerprint[String(words[0])] = words.count > 1 ? String(words[1]) : ""
  }
  return fingerprint
}

/// Runs `body`, which calls collectives. Their failure becomes a ``TrainingError`` with 70.
package func communicating<Result>(_ body: () throws -> Result) throws -> Result {
  do { return try body() } catch { throw TrainingError(error) }
}
