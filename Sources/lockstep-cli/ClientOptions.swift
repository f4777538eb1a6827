import ArgumentParser
import FoundationEssentials
import Lockstep

/// The clients of a federated run and their samples.
struct ClientOptions: ParsableArguments {
  @Option(help: "The number of clients. (default: 100)")
  var clients: Int?

  @Option(
    help: """
      How the samples are spread over the clients: iid; shards:N, N shards each of the samples sorted by label; dirichlet:ALPHA, of each \
      label parts from a Dirichlet distribution. (default: iid)
      """)
  var partition: ClientPartition?

  @Option(
    help: ArgumentHelp(
      "Takes the clients' samples from the directories of IDX files in this one, a client each; --data is then tested on alone.",
      valueName: "directory"))
  var clientData: String?

  @Option(help: "The part of the clients that is chosen in a round.")
  var clientFraction = 0.1

  @Option(help: "The probability with which a chosen client does only a part of its steps.")
  var stragglers = 0.0

  @Option(help: "The probability with which a chosen client drops out before its update is added.")
  var dropouts = 0.0

  func validate() throws {
    if partition == .given { throw ValidationError("--partition given needs --client-data, which says it already") }
    guard clientData == nil || clients == nil && partition == nil else {
      throw ValidationError(
        "--client-data says how many clients there are, and whose samples are whose; leave --clients and --partition out"
      )
    }
  }

  func apply(to recipe: inout FederatedRecipe) {
    recipe.clients = clients ?? recipe.clients
    recipe.partition = partition ?? recipe.partition
    recipe.clientFraction = clientFraction
    (recipe.stragglers, recipe.dropouts) = (stragglers, dropouts)
  }

  /// The samples of all clients, in the order of their directories' names. Throws with 66 if there are none, with 65 if some are wrong.
  func load() throws -> JoinedDataset {
    let directory = clientData ?? "."
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
      throw TrainingError(
        .missingInput,
        "\(directory): cannot be read; give --client-data a directory with one of IDX files for each client")
    }
    let paths = names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }.map { "\(directory)/\($0)" }
      .filter { path in
        var isDirectory = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory
      }
    guard !paths.isEmpty else {
      throw TrainingError(
        .missingInput, "\(directory): has no directories; --client-data needs one of IDX files for each client")
    }
    return try JoinedDataset(
      paths.map { path in
        do { return try ImageDataset.load(directory: path, part: .train) } catch { throw TrainingError(error) }
      })
  }
}

extension ClientPartition: ExpressibleByArgument {
  /// Reads the argument as `ClientPartition.init(_:)` does.
  public init?(argument: String) { self.init(argument) }
}
