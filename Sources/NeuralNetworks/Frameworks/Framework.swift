/// Another framework, whose names and layouts of weights are read and written.
public enum Framework: String, CaseIterable, Sendable {
  /// PyTorch: `state_dict()` of `nn.Sequential` or of a module of one's own, channels first.
  case pytorch = "PyTorch"
  /// Keras 3: a variable's `path`, channels last.
  case keras = "Keras"

  /// Its name in the genitive: PyTorch's.
  public var possessive: String { rawValue + (rawValue.hasSuffix("s") ? "'" : "'s") }

  /// What stands between the name of a module and that of its parameter.
  var separator: String {
    switch self {
    case .pytorch: "."
    case .keras: "/"
    }
  }

  /// What may stand before all names of a file, the usual first: PyTorch's wrappers for several processes and for compiling, and a Keras
  /// model that made its layers.
  public var prefixes: [String] {
    switch self {
    case .pytorch: ["", "module.", "_orig_mod."]
    case .keras: ["", "sequential/"]
    }
  }

  /// `name` in the module `module`, which may be the model itself, without a name.
  func joined(_ module: String, _ name: String) -> String {
    module.isEmpty || name.isEmpty ? module + name : module + separator + name
  }
}
