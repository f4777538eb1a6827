import Tensors

/// The fall of the score where a window is covered by a baseline, at each pixel the mean over the windows that cover it.
///
/// Windows begin at every `stride`-th pixel, and the last ones may reach beyond the edge. All channels of a pixel are covered together and
/// have one number. With a window of 1 and a stride of 1 it is the ablation of single pixels.
///
/// Source: Zeiler & Fergus 2013 (arXiv 1311.2901).
public struct Occlusion: AttributionMethod {
  /// The side of a window, in pixels.
  public let window: Int
  /// The pixels from one window to the next.
  public let stride: Int
  /// The value that covers.
  public let baseline: Float
  public var name: String { "occlusion" }

  /// Windows of `window` × `window`; `stride` is 1 to `window`.
  public init(window: Int = 4, stride: Int = 2, baseline: Float = 0) {
    precondition(window >= 1 && (1...window).contains(stride), "windows of \(window) at every \(stride)")
    (self.window, self.stride, self.baseline) = (window, stride, baseline)
  }

  public func attribution(of input: Buffer<Float>, target: Int, in network: ExplainedNetwork) -> Attribution {
    let grid = PixelGrid(network.model.input)
    let windows = starts(grid.rows).flatMap { row in
      starts(grid.columns).map { column in
        (rows: row..<min(row + window, grid.rows), columns: column..<min(column + window, grid.columns))
      }
    }
    func forEachPixel(of index: Int, _ body: (Int) -> Void) {
      for row in windows[index].rows { for column in windows[index].columns { body(row * grid.columns + column) } }
    }
    // The input itself is the last one.
    let scores = network.scores(of: target, count: windows.count + 1) { index, covered in
      covered.copy(from: input)
      guard index < windows.count else { return }
      forEachPixel(of: index) { pixel in for value in grid.values(of: pixel) { covered[value] = baseline } }
    }
    var sums = [Double](repeating: 0, count: grid.pixels)
    var counts = [Double](repeating: 0, count: grid.pixels)
    for index in windows.indices {
      forEachPixel(of: index) { pixel in
        sums[pixel] += scores[windows.count] - scores[index]
        counts[pixel] += 1
      }
    }
    let means = zip(sums, counts).map { Float($0 / $1) }
    return Attribution(values: Buffer(means), shape: grid.map, isSigned: true)
  }

  /// The places where windows begin along an axis, as Captum's: until one reaches the end.
  private func starts(_ extent: Int) -> [Int] {
    let beyond = max(0, extent - window)
    return (0...(beyond + stride - 1) / stride).map { $0 * stride }
  }
}
