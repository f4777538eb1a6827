import Lockstep

/// The explanations of several pictures by several methods, as all ranks have found them together.
struct Explanations {
  /// A picture that could be explained.
  struct Picture {
    var name: String
    /// The values [input shape].
    var pixels: [Float]
    var own: String?
    var predicted: String
    var target: String
    var probability: Float
    var score: Double
    var maps: [Map]
  }

  /// A map of a picture by one method.
  struct Map {
    var method: String
    var attribution: Attribution
    var deletion: Double
    var insertion: Double
    /// The gap of completeness, and that as a part of the score's range; nil where the method promises none.
    var gap: (absolute: Double, relative: Double)?
  }

  /// The pictures in order, without those that could not be explained.
  let pictures: [Picture]
  /// A line for each of those, and the exit code.
  let faults: [(line: String, code: Int32)]
  /// The shape of a picture.
  let shape: Shape
  /// What is explained: `logit` or `probability`.
  private let score: String

  /// The results of all ranks, in order.
  init(_ results: [ExplainedPicture], names: [String], methods: [String], network: ExplainedNetwork) {
    (shape, score) = (network.model.input, network.score.rawValue)
    var (pictures, faults): ([Picture], [(line: String, code: Int32)]) = ([], [])
    for start in stride(from: 0, to: results.count, by: methods.count) {
      let own = results[start..<start + methods.count]
      // One that cannot be read is faulty by every method.
      if let faulty = own.first(where: { $0.fault != nil }) {
        faults.append((faulty.fault ?? "", faulty.code))
        continue
      }
      let first = own[start]
      let maps = own.map { result in
        Map(
          method: methods[result.method],
          attribution: Attribution(
            values: Buffer(result.map.floats), shape: Shape(result.mapShape), isSigned: result.isSigned),
          deletion: Double(bitPattern: result.deletion), insertion: Double(bitPattern: result.insertion),
          gap: result.gaps.map { (Double(bitPattern: $0[0]), Double(bitPattern: $0[1])) })
      }
      pictures.append(
        Picture(
          name: names[first.picture], pixels: first.pixels.floats, own: first.own.map { network.loss.name(of: $0) },
          predicted: network.loss.name(of: first.predicted), target: network.loss.name(of: first.target),
          probability: first.probabilities.floats[first.predicted], score: Double(bitPattern: first.score), maps: maps))
    }
    (self.pictures, self.faults) = (pictures, faults)
  }

  // MARK: Lines

  /// `test image 3: 0 (100 %)`, and a line a map.
  func text(_ picture: Picture) -> String {
    let own = picture.own.map { ", its class is \(escaped($0))" } ?? ""
    let asked = picture.target == picture.predicted ? "" : "; explained: \(escaped(picture.target))"
    let head =
      "\(picture.name): \(escaped(picture.predicted)) (\(percent(Double(picture.probability))))\(own)\(asked), \(score) "
      + fixed(picture.score, 4)
    let lines = picture.maps.map { map in
      let gap =
        map.gap.map { ", gap \(scientific($0.absolute)) (\(scientific($0.relative)) of the \(score)'s range)" } ?? ""
      return "  \(map.method): deletion \(fixed(map.deletion, 4)), insertion \(fixed(map.insertion, 4))\(gap)"
    }
    return ([singleLine(head)] + lines).joined(separator: "\n")
  }

  /// The picture as a line of JSON; a map is a list of rows, and of channels where there are several.
  func json(_ picture: Picture) -> String {
    var members: [JSONValue.Member] = [.init("picture", .string(picture.name))]
    if let own = picture.own { members.append(.init("class", .string(own))) }
    members += [
      .init("predicted", .string(picture.predicted)),
      .init("probability", number(Double(picture.probability), "\(picture.probability)")),
      .init("target", .string(picture.target)), .init(score, number(picture.score)),
      .init(
        "explanations",
        .array(
          picture.maps.map { map in
            var members: [JSONValue.Member] = [
              .init("method", .string(map.method)), .init("deletion", number(map.deletion)),
              .init("insertion", number(map.insertion)),
            ]
            if let gap = map.gap {
              members += [.init("gap", number(gap.absolute)), .init("relative_gap", number(gap.relative))]
            }
            return .object(
              members + [.init("map", nested(map.attribution.values.array, map.attribution.shape.extents))])
          })),
    ]
    return JSONValue.object(members).description
  }

  /// A number that is none is null.
  private func number(_ value: Double, _ text: String? = nil) -> JSONValue {
    value.isFinite ? .number(text ?? "\(value)") : .null
  }

  private func nested(_ values: [Float], _ extents: [Int]) -> JSONValue {
    let extents = extents.last == 1 && extents.count > 2 ? Array(extents.dropLast()) : extents
    guard extents.count > 1 else { return .array(values.map { number(Double($0), "\($0)") }) }
    let size = values.count / extents[0]
    return .array(
      (0..<extents[0]).map { nested(Array(values[$0 * size..<($0 + 1) * size]), Array(extents.dropFirst())) })
  }

  // MARK: Pictures

  /// The side of the square that a pixel becomes, so that small images can be seen.
  private var scale: Int { max(1, 112 / max(shape[0], shape[1])) }

  /// A picture without a map, and those of its maps.
  private func images(of picture: Picture) -> [ColourImage] {
    let greys = (0..<shape[0] * shape[1]).map { pixel in
      (0..<shape[2]).reduce(Float(0)) { $0 + picture.pixels[pixel * shape[2] + $1] } / Float(shape[2])
    }
    let none = [Float](repeating: 0, count: greys.count)
    return ([none] + picture.maps.map(\.attribution.pixels)).map {
      ColourImage(heat: $0, over: greys, rows: shape[0], columns: shape[1], scale: scale)
    }
  }

  /// The pixels between two images of the grid.
  private static let gap = 4

  /// A row for each picture, the picture first and then its maps. Throws with 64 if a PNG file of them would be too large.
  func grid() throws -> ColourImage {
    let across = pictures[0].maps.count + 1
    let height = pictures.count * (shape[0] * scale + Self.gap) + Self.gap
    guard max(height, across * (shape[1] * scale + Self.gap) + Self.gap) <= 65_535 else {
      throw TrainingError(.usage, "\(pictures.count) pictures are too many for one --output; give fewer")
    }
    return ColourImage(grid: pictures.flatMap(images), across: across, gap: Self.gap)
  }

  /// What the run directory keeps for the report.
  func recorded(step: Int, score: String, baseline: Float) -> RecordedExplanations {
    RecordedExplanations(
      step: step, score: score, baseline: baseline,
      pictures: pictures.map { picture in
        let images = images(of: picture)
        return RecordedExplanations.Explained(
          name: picture.name, own: picture.own, predicted: picture.predicted, probability: picture.probability,
          target: picture.target, png: images[0].png,
          maps: zip(picture.maps, images.dropFirst()).map { map, image in
            RecordedExplanations.Map(
              method: map.method, gap: map.gap?.relative, deletion: map.deletion, insertion: map.insertion,
              png: image.png)
          })
      })
  }
}
