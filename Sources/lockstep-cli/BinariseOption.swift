import ArgumentParser
import Lockstep

/// How the pixels become black and white, for models that predict them.
struct BinariseOption: ParsableArguments {
  /// The ways that have a name.
  enum Way: String, CaseIterable, ExpressibleByArgument {
    case threshold, bernoulli

    var binarisation: Binarisation {
      switch self {
      case .threshold: .threshold(0.5)
      case .bernoulli: .bernoulli(seed: 0)
      }
    }
  }

  @Option(
    help: """
      \(PixelTask.blackAndWhite): how a pixel becomes 0 or 1: threshold, at a half, or bernoulli, drawn with its value as probability. \
      (default: threshold)
      """)
  var binarise: Way?
}
