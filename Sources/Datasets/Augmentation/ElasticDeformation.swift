import Glibc
import Primitives
import Tensors

/// An elastic deformation (Simard, Steinkraus & Platt 2003, § 2): each pixel is displaced by α times a field of numbers
/// evenly distributed in −1…1, along each axis, smoothed by a Gaussian of standard deviation σ whose weights add up to 1.
///
/// The Gaussian ends at 3σ, and the field is zero outside of the image. Values between pixels are bilinear.
public struct ElasticDeformation: Transformation {
  /// α, in pixels. The displacement's standard deviation is about α / (6.1 · σ): 1.4 pixels by default.
  public let alpha: Float
  /// σ, in pixels.
  public let sigma: Float
  private let weights: Buffer<Float>

  /// The paper's best constants for 29 × 29 pixels.
  public static let usual = ElasticDeformation(alpha: 34, sigma: 4)

  /// A deformation with these constants.
  public init(alpha: Float, sigma: Float = 4) {
    (self.alpha, self.sigma) = (alpha, sigma)
    guard sigma > 0 && sigma <= 100 else {
      weights = Buffer([1])
      return
    }
    let reach = Int((3 * sigma).rounded(.up))
    let bell = (-reach...reach).map { exp(-Double($0 * $0) / (2 * Double(sigma) * Double(sigma))) }
    let sum = bell.reduce(0, +)
    weights = Buffer(bell.map { Float($0 / sum) })
  }

  public var description: String { "elastic:\(alpha)" + (sigma == Self.usual.sigma ? "" : ":\(sigma)") }

  public var fault: String? {
    if !(alpha > 0 && alpha <= 10_000) { return "elastic:\(alpha) is not a number above 0, up to 10000" }
    return sigma > 0 && sigma <= 100 ? nil : "elastic:\(alpha):\(sigma) is not smoothed by a number above 0, up to 100"
  }

  public func workspaceCount(for image: ImageExtents) -> Int { 3 * image.pixels }

  public func apply(
    to source: Buffer<Float>, _ image: ImageExtents, into destination: Buffer<Float>, workspace: Buffer<Float>,
    drawing words: inout Philox
  ) {
    let pixels = image.pixels
    let fields = (workspace[0..<pixels], workspace[pixels..<2 * pixels])
    let temporary = workspace[2 * pixels..<3 * pixels]
    draw(fields.0, image, temporary, &words)
    draw(fields.1, image, temporary, &words)
    resample(source, image, displacedBy: alpha, fields.0, fields.1, into: destination)
  }

  private func draw(_ field: Buffer<Float>, _ image: ImageExtents, _ temporary: Buffer<Float>, _ words: inout Philox) {
    for pixel in 0..<field.count { field[pixel] = words.next(within: 1) }
    smooth(field, rows: image.rows, columns: image.columns, by: weights, through: temporary)
  }
}
