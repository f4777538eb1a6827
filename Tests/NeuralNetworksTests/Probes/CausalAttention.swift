import Kernels
import NeuralNetworks
import Tensors

/// A probe of the protocol: one head of causal self-attention over `[tokens, width]`, softmax(QKᵀ/√width, no token sees a
/// later one) · V.
struct CausalAttention: LayerSpecification {
  var kind: String { "attention" }

  func outputShape(for input: Shape) throws -> Shape { input }

  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    CausalAttentionLayer(tokens: input[0], width: input[1], capacity: capacity)
  }
}

private final class CausalAttentionLayer: Layer {
  private let tokens: Int
  private let width: Int
  let parameters: [ParameterSpecification]
  /// Queries, keys, values [samples · tokens, width] and the gradients of each.
  private let projected: [Buffer<Float>]
  private let projectedGradient: [Buffer<Float>]
  /// [samples, tokens, tokens].
  private let attention: Buffer<Float>
  /// One sample's [tokens, tokens].
  private let scores: Buffer<Float>
  /// A weight gradient sums over samples and tokens, more than sgemm keeps in registers.
  private let complete: Buffer<Float>

  init(tokens: Int, width: Int, capacity: Int) {
    self.tokens = tokens
    self.width = width
    parameters = ["queries", "keys", "values"].map {
      ParameterSpecification(
        name: $0, shape: [width, width], initialiser: .glorotUniform(fanIn: width, fanOut: width))
    }
    projected = (0..<3).map { _ in Buffer(count: capacity * tokens * width) }
    projectedGradient = (0..<3).map { _ in Buffer(count: capacity * tokens * width) }
    attention = Buffer(count: capacity * tokens * tokens)
    scores = Buffer(count: tokens * tokens)
    complete = Buffer(count: width * width)
  }

  private func weights(_ index: Int, _ parameters: ParameterBlock) -> Matrix {
    Matrix(parameters[index], rows: width, columns: width)
  }

  private func rows(_ buffer: Buffer<Float>, of sample: Int) -> Matrix {
    Matrix(buffer[sample * tokens * width..<(sample + 1) * tokens * width], rows: tokens, columns: width)
  }

  private func all(_ buffer: Buffer<Float>, _ pass: Pass) -> Matrix {
    Matrix(buffer.prefix(pass.samples * tokens * width), rows: pass.samples * tokens, columns: width)
  }

  private var temperature: Float { 1 / Float(width).squareRoot() }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    for index in 0..<3 {
      multiply(all(input, pass), weights(index, parameters), into: all(projected[index], pass))
    }
    for n in 0..<pass.samples {
      let own = attention[n * tokens * tokens..<(n + 1) * tokens * tokens]
      multiply(
        rows(projected[0], of: n), rows(projected[1], of: n).transposed,
        into: Matrix(scores, rows: tokens, columns: tokens))
      scale(scores, by: temperature)
      for i in 0..<tokens { scores[i * tokens + i + 1..<(i + 1) * tokens].fill(-.infinity) }
      softmax(scores, into: own, classes: tokens)
      multiply(Matrix(own, rows: tokens, columns: tokens), rows(projected[2], of: n), into: rows(output, of: n))
    }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    let scoresMatrix = Matrix(scores, rows: tokens, columns: tokens)
    for n in 0..<pass.samples {
      let own = attention[n * tokens * tokens..<(n + 1) * tokens * tokens]
      let ownMatrix = Matrix(own, rows: tokens, columns: tokens)
      multiply(ownMatrix.transposed, rows(windows.outputGradient, of: n), into: rows(projectedGradient[2], of: n))
      multiply(rows(windows.outputGradient, of: n), rows(projected[2], of: n).transposed, into: scoresMatrix)
      for i in 0..<tokens {
        let row = i * tokens..<(i + 1) * tokens
        let mean = row.reduce(Float(0)) { $0 + own[$1] * scores[$1] }
        for j in row { scores[j] = own[j] * (scores[j] - mean) * temperature }
      }
      multiply(scoresMatrix, rows(projected[1], of: n), into: rows(projectedGradient[0], of: n))
      multiply(scoresMatrix.transposed, rows(projected[0], of: n), into: rows(projectedGradient[1], of: n))
    }
    for index in 0..<3 {
      multiply(
        all(windows.input, pass).transposed, all(projectedGradient[index], pass),
        into: Matrix(complete, rows: width, columns: width))
      windows.gradient.complete(index, with: complete)
      if let inputGradient = windows.inputGradient {
        multiply(
          all(projectedGradient[index], pass), weights(index, windows.parameters).transposed,
          into: all(inputGradient, pass), index == 0 ? .replace : .add)
      }
    }
  }
}
