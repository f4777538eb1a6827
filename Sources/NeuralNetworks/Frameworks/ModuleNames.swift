/// The names that a built-in model's modules have in PyTorch, where they are not the numbers of `nn.Sequential`.
struct ModuleNames: Sendable {
  /// The paths of modules by those of our layers, `block1.residual1.layernorm1`: `blocks.0.n1`; and the names of tensors by those of ours,
  /// `classtoken1.token`: `cls`, where they are not of a module of their own.
  var names: [String: String] = [:]
  /// The layers over tokens that are convolutions of one step there, whose weights have one axis more.
  var pointwise: Set<String> = []
}
