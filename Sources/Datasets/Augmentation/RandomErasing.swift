import Tensors

/// Overwrites a random rectangle with random numbers (Zhong et al. 2017, Algorithm 1, with the paper's constants).
///
/// The rectangle's area is evenly distributed in 2 % … 40 % of the image, its height over its width in 0.3 … 1/0.3. The
/// numbers are evenly distributed in 0 … 1, as pixels are, for each channel. A rectangle that does not fit is drawn
/// anew, a hundred times at most; the paper has no such bound, and no image of usual sides needs it.
public struct RandomErasing: Transformation, Hashable {
  /// The part of the images that are changed.
  public var probability: Float

  /// Erasing in this part of the images. The paper's is ½.
  public init(probability: Float = 0.5) { self.probability = probability }

  public var description: String { "erase:\(probability)" }
  public var fault: String? {
    probability > 0 && probability <= 1 ? nil : "erase:\(probability) is not a probability above 0, up to 1"
  }

  public func apply(
    to source: Buffer<Float>, _ image: ImageExtents, into destination: Buffer<Float>, workspace: Buffer<Float>,
    drawing words: inout Philox
  ) {
    destination.copy(from: source)
    guard words.nextUniform() < probability, let (rows, columns) = rectangle(in: image, &words) else { return }
    for row in rows {
      let first = row * image.columns
      for place in (first + columns.lowerBound) * image.channels..<(first + columns.upperBound) * image.channels {
        destination[place] = words.nextUniform()
      }
    }
  }

  private func rectangle(in image: ImageExtents, _ words: inout Philox) -> (rows: Range<Int>, columns: Range<Int>)? {
    for _ in 0..<100 {
      let area = (0.02 + 0.38 * words.nextUniform()) * Float(image.pixels)
      let ratio = 0.3 + (1 / 0.3 - 0.3) * words.nextUniform()
      let height = max(1, Int((area * ratio).squareRoot().rounded()))
      let width = max(1, Int((area / ratio).squareRoot().rounded()))
      let top = Int(words.next(below: UInt32(image.rows)))
      let left = Int(words.next(below: UInt32(image.columns)))
      if top + height <= image.rows && left + width <= image.columns {
        return (top..<top + height, left..<left + width)
      }
    }
    return nil
  }
}
