import FoundationEssentials
import Tensors

extension ImageDataset {
  /// The directory of the data set that a user calls `name`.
  ///
  /// `launch/fetch` puts `mnist` and `fashion-mnist` into `$XDG_CACHE_HOME/lockstep/<name>`. If that variable is unset,
  /// empty or (as the XDG specification says) relative, `~/.cache` takes its place. Any other name is a path, also
  /// `./mnist`. The variables are those of `environment`, or of the process if it is nil. Throws ``IDXError`` if there is no
  /// such directory.
  public static func directory(
    named name: String, environment: [String: String]? = nil
  ) throws(IDXError) -> String {
    let isFetched = fetchedNames.contains(name)
    let cache = isFetched ? cache(environment ?? ProcessEnvironment.variables) : ""
    guard let cache else { throw IDXError(path: name, cause: .noCacheDirectory) }
    let path = isFetched ? "\(cache)/lockstep/\(name)" : name
    switch FileKind(at: path) {
    case .directory: return path
    case .unknown(let reason): throw IDXError(path: path, cause: .unreadable(reason: reason))
    default: throw IDXError(path: path, cause: .noDirectory(name: isFetched ? name : nil))
    }
  }

  /// The data sets that `launch/fetch` knows.
  public static let fetchedNames = ["mnist", "fashion-mnist"]

  /// The user's directory for caches; nil if neither variable holds an absolute path.
  private static func cache(_ environment: [String: String]) -> String? {
    if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") { return cache }
    guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
    return "\(home)/.cache"
  }
}
