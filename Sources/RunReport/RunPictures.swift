import Console
import Datasets
import NeuralNetworks
import Pictures
import Tensors
import Training

/// What a finished run's network can show: its surest mistakes, its first layer's filters, and the images that it draws.
public struct RunPictures {
  /// The most filters that are shown.
  private static let mostFilters = 64
  /// The number of images that a network draws.
  private static let drawnCount = 16

  let mistakes: [Picture]
  let filters: Picture?
  let drawn: Picture?

  /// The pictures of `run`.
  public init(of run: FinishedRun) {
    mistakes = Self.mistakes(of: run)
    filters = Self.filters(of: run)
    drawn = Self.drawn(by: run)
  }

  /// All of them.
  public var all: [Picture] { [filters, drawn].compactMap { $0 } + mistakes }

  /// The height and width of an image of one channel; nil of anything else.
  private static func extents(_ shape: Shape) -> (rows: Int, columns: Int)? {
    guard shape.rank == 3, shape[2] == 1, (2...512).contains(shape[0]), (2...512).contains(shape[1]) else { return nil }
    return (shape[0], shape[1])
  }

  private static func mistakes(of run: FinishedRun) -> [Picture] {
    guard let (rows, columns) = extents(run.test.inputShape), let loss = run.network.loss as? any ClassLoss else {
      return []
    }
    let pixels = Buffer<Float>(count: rows * columns)
    return run.mistakes.enumerated().map { rank, mistake in
      run.test.copyInputs(in: mistake.sample..<mistake.sample + 1, into: pixels)
      let (own, predicted) = (singleLine(loss.name(of: mistake.own)), singleLine(loss.name(of: mistake.predicted)))
      let image = GreyImage(grid: pixels.array, rows: rows, columns: columns, scale: 1, gap: 0)
      return Picture(
        image, name: "mistake \(rank + 1)", text: "Test image \(mistake.sample): class \(own), taken for \(predicted)",
        caption: "\(own) taken for \(predicted), \(percent(Double(mistake.probability)))")
    }
  }

  /// The first layer's weights, each filter in greys from its most negative weight to its most positive: middle grey is 0.
  private static func filters(of run: FinishedRun) -> Picture? {
    let layout = run.network.layout
    guard let place = layout.parameters.firstIndex(where: { $0.role != .average }) else { return nil }
    let (shape, range) = (layout.parameters[place].shape, layout.ranges[place])
    let weights = run.parameters[range]
    let count: Int
    let extents: (rows: Int, columns: Int)
    /// The weight of a filter at a place.
    let weight: (_ filter: Int, _ place: Int) -> Float
    if shape.rank == 4, shape[2] == 1, shape[0] > 1 {
      // [rows, columns, 1, filters]
      (count, extents) = (shape[3], (shape[0], shape[1]))
      weight = { weights[$1 * shape[3] + $0] }
    } else if shape.rank == 2, let image = Self.extents(run.test.inputShape), shape[1] == image.rows * image.columns {
      // [outputs, rows × columns]
      (count, extents) = (shape[0], image)
      weight = { weights[$0 * shape[1] + $1] }
    } else {
      return nil
    }
    let (shown, size) = (min(count, mostFilters), extents.rows * extents.columns)
    var images: [Float] = []
    for filter in 0..<shown {
      let values = (0..<size).map { weight(filter, $0) }
      let most = values.reduce(0) { max($0, abs($1)) }
      images += values.map { most > 0 && $0.isFinite ? 0.5 + 0.5 * $0 / most : 0.5 }
    }
    let image = GreyImage(
      grid: images, rows: extents.rows, columns: extents.columns, scale: max(1, 36 / extents.rows), gap: 2)
    return Picture(
      image, name: "filters",
      text: "\(shown) filters of \(layout.parameters[place].name), each \(extents.rows) by \(extents.columns)",
      caption:
        "\(shown == count ? "All \(count)" : "The first \(shown) of \(count)") filters of \(layout.parameters[place].name)"
    )
  }

  private static func drawn(by run: FinishedRun) -> Picture? {
    guard run.network.loss is any PixelLoss, let (rows, columns) = extents(run.network.model.input),
      let generator = try? PixelGenerator(run.network, parameters: run.parameters)
    else { return nil }
    let images = generator.draw(drawnCount, seed: 0, temperature: 1)
    let image = GreyImage(grid: images.array, rows: rows, columns: columns, scale: 3, gap: 3)
    return Picture(
      image, name: "drawn", text: "\(drawnCount) images that the network drew",
      caption: "Drawn with seed 0 at temperature 1")
  }
}
