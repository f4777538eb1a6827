import Tensors

/// The sizes of `[tokens, width]`, which the layers of a transformer take.
struct TokenShape {
  let tokens: Int
  let width: Int
  /// The floats of one sample.
  var count: Int { tokens * width }

  /// Throws where `input` is not [tokens, width]; `name` is that of the layer, with its article.
  init(_ name: String, input: Shape) throws {
    guard input.rank == 2, input[0] >= 1, input[1] >= 1 else {
      throw ModelError("\(name) cannot take input of shape \(input): it takes [tokens, width]")
    }
    (tokens, width) = (input[0], input[1])
  }
}
