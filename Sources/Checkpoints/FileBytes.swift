/// The bytes of the regular file at `path`, of `limit` at most: a larger one is refused before memory is taken for it.
public func fileBytes(_ path: String, limit: Int) throws(FileReadError) -> [UInt8] {
  let byteCount: Int
  do throws(SystemCallError) {
    let file = try OpenFile(path, .read)
    byteCount = try file.byteCount()
    if byteCount <= limit {
      var bytes = [UInt8](repeating: 0, count: byteCount)
      let count = try file.read(into: &bytes, count: byteCount, at: 0)
      // The file may have shrunk since its size was asked for.
      return Array(bytes.prefix(count))
    }
  } catch {
    throw FileReadError(path, error)
  }
  throw FileReadError(path, byteCount: byteCount, limit: limit)
}
