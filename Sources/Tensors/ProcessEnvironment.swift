import FoundationEssentials

/// The environment's variables as this process found them.
///
/// MPI writes into the environment while it starts, which moves it, and a thread that reads it at that moment reads memory
/// that is no longer its own. So it is read once, by the main thread before any other is started, and here only.
package enum ProcessEnvironment {
  /// The value of each variable by its name.
  package static let variables = ProcessInfo.processInfo.environment
}
