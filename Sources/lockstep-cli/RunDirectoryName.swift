import FoundationEssentials
import Lockstep

/// A run directory for a run of `model` that was given none, named for the time and the model: the same on every rank. Collective.
func newRunDirectory(of model: Model, on world: any Communicator) throws -> String {
  try world.fromFirst("runs/\(timeStamp())-\(fileName(model.name))")
}

/// `text` as a part of a file's name: its first 100 bytes, with hyphens for all but letters, digits, dots and hyphens.
private func fileName(_ text: String) -> String {
  let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-".utf8)
  return String(decoding: text.utf8.prefix(100).map { plain.contains($0) ? $0 : UInt8(ascii: "-") }, as: UTF8.self)
}

private func timeStamp() -> String {
  let now = Date.now.formatted(.iso8601.dateSeparator(.omitted).timeSeparator(.omitted))
  return now.replacing("T", with: "-").replacing("Z", with: "")
}
