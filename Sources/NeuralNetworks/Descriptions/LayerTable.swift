import Tensors

/// The types of layers that a model's file may name.
public struct LayerTable: Sendable {
  /// Lockstep's own: a new layer is a name here and an extension in the layer's file.
  public static let builtIn = LayerTable([
    BatchNorm.self, Block.self, ClassToken.self, Conv2D.self, Dense.self, Dropout.self, Embedding.self, Flatten.self,
    GELU.self, GRU.self, GatedStack.self, GlobalAveragePool2D.self, LSTM.self, LayerNorm.self, MaskedPatches.self,
    MaxPool2D.self, MultiHeadAttention.self, Patches.self, Positions.self, RNN.self, ReLU.self, Reshape.self,
    Residual.self, Shift.self,
    SiLU.self, Sigmoid.self, Tanh.self, Token.self, TokenDense.self, Tokens.self,
  ])

  private var types: [String: any DescribedLayer.Type] = [:]

  /// A table of these types, whose names must differ.
  public init(_ types: [any DescribedLayer.Type]) {
    for type in types {
      precondition(self.types[type.typeName] == nil, "two types of layers are named \(type.typeName)")
      self.types[type.typeName] = type
    }
  }

  /// This table and `types`, layers of one's own, whose names must be new.
  ///
  ///     try Model.load("net.json", input: [28, 28, 1], outputs: 10, layers: .builtIn.adding([PReLU.self]))
  public func adding(_ types: [any DescribedLayer.Type]) -> LayerTable { LayerTable(Array(self.types.values) + types) }

  /// The names, in the order of the alphabet.
  public var names: [String] { types.keys.sorted() }

  /// The type of a name; nil if there is none.
  subscript(name: String) -> (any DescribedLayer.Type)? { types[name] }
}
