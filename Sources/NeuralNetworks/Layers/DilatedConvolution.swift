import Kernels

/// The products of a causal convolution of kernel 2 over one sample: `y[t] = x[t − dilation] · W₀ + x[t] · W₁`, x before the first step being
/// zero. x is [steps, channels], y [steps, filters], and W [2, channels, filters], the earlier tap first, as Keras and (but for its order of
/// axes) PyTorch have it.
struct DilatedConvolution {
  let steps: Int
  let channels: Int
  let filters: Int
  let dilation: Int
  /// W₀ and W₁ laid out for y, and transposed for the gradient of x.
  private let taps: (PackedMatrix, PackedMatrix)
  private let transposedTaps: (PackedMatrix, PackedMatrix)

  init(steps: Int, channels: Int, filters: Int, dilation: Int) {
    self.steps = steps
    self.channels = channels
    self.filters = filters
    self.dilation = dilation
    taps = (PackedMatrix(rows: channels, columns: filters), PackedMatrix(rows: channels, columns: filters))
    transposedTaps = (PackedMatrix(rows: filters, columns: channels), PackedMatrix(rows: filters, columns: channels))
  }

  /// The multiply-adds of one sample.
  static func products(steps: Int, channels: Int, filters: Int, dilation: Int) -> Int {
    (steps + max(0, steps - dilation)) * channels * filters
  }

  /// The steps that see an earlier one.
  private var seeing: Int { max(0, steps - dilation) }

  /// Takes the weights of the calls of ``forward(_:into:)`` and ``step(_:earlier:into:)`` that follow.
  func pack(_ weights: Buffer<Float>) {
    taps.0.pack(tap(0, of: weights))
    taps.1.pack(tap(1, of: weights))
  }

  /// Takes the weights of the calls of ``inputGradient(_:into:_:)`` that follow.
  func packTransposed(_ weights: Buffer<Float>) {
    transposedTaps.0.pack(tap(0, of: weights).transposed)
    transposedTaps.1.pack(tap(1, of: weights).transposed)
  }

  /// Computes y.
  func forward(_ input: Buffer<Float>, into output: Buffer<Float>) {
    multiply(Matrix(input, columns: channels), taps.1, into: Matrix(output, columns: filters))
    guard seeing > 0 else { return }
    multiply(earlier(input, channels), taps.0, into: later(output, filters), .add)
  }

  /// Computes y of one step of several samples, [samples, filters], from x of that step and, unless that is before the first, of the one
  /// `dilation` steps before.
  func step(_ input: Buffer<Float>, earlier: Buffer<Float>?, into output: Buffer<Float>) {
    multiply(Matrix(input, columns: channels), taps.1, into: Matrix(output, columns: filters))
    if let earlier {
      multiply(Matrix(earlier, columns: channels), taps.0, into: Matrix(output, columns: filters), .add)
    }
  }

  /// Writes or adds the gradient of W, given that of y, which is laid out in `room`, [steps, filters].
  func weightsGradient(
    _ outputGradient: Buffer<Float>, by room: PackedMatrix, input: Buffer<Float>, into gradient: Buffer<Float>,
    _ accumulation: Accumulation
  ) {
    multiply(
      Matrix(input, columns: channels).transposed, room.packUnlessReadable(Matrix(outputGradient, columns: filters)),
      into: tap(1, of: gradient), accumulation)
    if seeing > 0 {
      multiply(
        earlier(input, channels).transposed, room.packUnlessReadable(later(outputGradient, filters)),
        into: tap(0, of: gradient), accumulation)
    } else if accumulation == .replace {
      gradient.prefix(channels * filters).fill(0)
    }
  }

  /// Writes or adds the gradient of x, given that of y.
  func inputGradient(_ outputGradient: Buffer<Float>, into gradient: Buffer<Float>, _ accumulation: Accumulation) {
    multiply(
      Matrix(outputGradient, columns: filters), transposedTaps.1, into: Matrix(gradient, columns: channels),
      accumulation)
    guard seeing > 0 else { return }
    multiply(later(outputGradient, filters), transposedTaps.0, into: earlier(gradient, channels), .add)
  }

  /// The steps that a later one sees, and those that see an earlier one.
  private func earlier(_ values: Buffer<Float>, _ columns: Int) -> Matrix {
    Matrix(values.prefix(seeing * columns), columns: columns)
  }

  private func later(_ values: Buffer<Float>, _ columns: Int) -> Matrix {
    Matrix(values[(steps - seeing) * columns..<steps * columns], columns: columns)
  }

  private func tap(_ index: Int, of weights: Buffer<Float>) -> Matrix {
    let count = channels * filters
    return Matrix(weights[index * count..<(index + 1) * count], rows: channels, columns: filters)
  }
}
