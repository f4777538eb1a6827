import Datasets
import Glibc
import Primitives
import Tensors
import Testing

/// The text of `--augment`, and each change by itself.
@Suite struct AugmentationTests {
  static let everything = "flip,shift:2,elastic:20.0:3.0,rotate:10.0,crop:4,scale:0.1,erase:0.25,shear:5.0"

  @Test func textsNameChangesInTheirOrder() throws {
    for (text, description) in [
      ("shift:2", "shift:2"), ("rotate:10", "rotate:10.0"), ("elastic", "elastic:34.0"), ("elastic:8", "elastic:8.0"),
      ("elastic:8:2", "elastic:8.0:2.0"), ("flip", "flip"), ("crop:4", "crop:4"), ("erase", "erase:0.5"),
      ("erase:1", "erase:1.0"), ("mixup", "mixup:0.2"), ("mixup:1", "mixup:1.0"),
      // After all others.
      ("mixup:0.4,shift:2,flip", "shift:2,flip,mixup:0.4"), ("flip,mixup,crop:4", "flip,crop:4,mixup:0.2"),
      ("flip,crop:4", "flip,crop:4"), ("crop:4,flip", "crop:4,flip"),
      // Four parts of one change, in the place of the first.
      ("shear:5,rotate:10,scale:0.1,shift:2", "shift:2,rotate:10.0,scale:0.1,shear:5.0"),
      (Self.everything, "flip,shift:2,rotate:10.0,scale:0.1,shear:5.0,elastic:20.0:3.0,crop:4,erase:0.25"),
    ] {
      let augmentation = try Augmentation(text)
      #expect(augmentation.description == description)
      #expect(try Augmentation(description).description == description)
    }
    #expect(try Augmentation(Self.everything).transformations.count == 5)
  }

  @Test(arguments: [
    "", ",", "shift", "shift:", "shift:2:3", "shift:2.5", "shift:0", "shift:-1", "shift:40000", "shift:two", "Shift:2",
    " shift:2", "rotate", "rotate:0", "rotate:-5", "rotate:181", "rotate:nan", "rotate:inf", "scale:1", "scale:-0.1",
    "scale:nan", "shear:81", "shear:-1", "elastic:", "elastic:0", "elastic:-3", "elastic:inf", "elastic:34:0",
    "elastic:34:101", "elastic:34:nan", "elastic:34:4:1", "flip:0.5", "flip:", "crop", "crop:0", "crop:1.5", "crop:1e9",
    "erase:0", "erase:1.1", "erase:nan", "erase:0.5:2", "flip,flip", "shift:2,rotate:5,shift:3", "flip,", ",flip",
    "mixup:0", "mixup:-1", "mixup:nan", "mixup:inf", "mixup:1001", "mixup:", "mixup:0.2:1", "mixup,mixup:1",
    "mixup:two", "cutmix", "shift:2;flip", "flip\nflip",
  ])
  func otherTextsAreRefusedInOneLine(_ text: String) {
    let error = #expect(throws: AugmentationError.self) { try Augmentation(text) }
    let line = error?.description ?? ""
    #expect(line.hasPrefix("augmentation ") && !line.contains("\n"), "\(line)")
  }

  /// Whatever is cut off or changed, the text is refused or read as one that says what was read.
  @Test func damagedTextsAreRefusedOrReadWhole() throws {
    let whole = Array(Self.everything.utf8)
    var texts = (0...whole.count).map { Array(whole[..<$0]) }
    var words = Philox(seed: 11, purpose: Philox.Purpose(rawValue: 1002), stream: 0)
    for _ in 0..<3000 {
      var text = whole
      for _ in 0...words.next(below: 4) {
        let place = Int(words.next(below: UInt32(text.count)))
        switch words.next(below: 3) {
        case 0: text[place] = UInt8(words.next(below: 128))
        case 1: text.remove(at: place)
        default: text.insert(contentsOf: Array(":,-.0e".utf8).shuffledPart(&words), at: place)
        }
      }
      texts.append(text)
    }
    var accepted = 0
    for text in texts.map({ String(decoding: $0, as: UTF8.self) }) {
      let read: Augmentation
      do { read = try Augmentation(text) } catch {
        #expect(!error.description.contains("\n") && error.description.utf8.count < 400, "\(error)")
        continue
      }
      accepted += 1
      #expect(try Augmentation(read.description).description == read.description, "\(text)")
      #expect(read.fault == nil && read.transformations.allSatisfy { $0.fault == nil })
    }
    print("augmentations: \(texts.count) damaged texts, \(accepted) read")
    #expect(accepted > 50 && accepted < texts.count)
  }

  @Test func changesThatDoNotFitTheImagesAreFound() throws {
    for (text, shape, fits) in [
      ("shift:27", [28, 28, 1], true), ("shift:28", [28, 28, 1], false), ("crop:5", [6, 40, 3], true),
      ("crop:6", [6, 40, 3], false), ("flip", [784], false), ("flip", [28, 28], false), ("flip", [1, 1, 1], true),
      ("flip", [2, 2, 2, 2], false), ("erase,elastic,rotate:5", [1, 1, 1], true),
    ] as [(String, Shape, Bool)] {
      let fault = try Augmentation(text).fault(for: shape)
      #expect((fault == nil) == fits, "\(text) of \(shape): \(fault ?? "no fault")")
      #expect(fault?.hasPrefix("augmentation ") != false && fault?.contains("\n") != true)
    }
  }

  // MARK: golden values

  /// ((7y + 3x) mod 11) / 8 on 5 × 6 pixels.
  private static let image = ImageExtents(rows: 5, columns: 6, channels: 1)
  private static let pixels = pattern { y, x in Float((7 * y + 3 * x) % 11) / 8 }

  /// The image whose pixel at (y, x) is `value`.
  private static func pattern(_ value: (_ y: Int, _ x: Int) -> Float) -> Buffer<Float> {
    let pixels = Buffer<Float>(count: image.pixels)
    for place in 0..<image.pixels { pixels[place] = value(place / image.columns, place % image.columns) }
    return pixels
  }

  private static func distance(_ values: Buffer<Float>, _ expected: [Float]) -> Float {
    zip(values.array, expected).map { abs($0 - $1) }.max() ?? .infinity
  }

  /// PyTorch 2.15, float64: `grid_sample(image, grid, 'bilinear', 'zeros', align_corners=True)`. The grid is
  /// c + A⁻¹·(p − c − (right, down)) with `torch.linalg.inv`, A = 1.2 · R(30°) · [1, tan 10°; 0, 1], (right, down) =
  /// (−1, 1), c the middle.
  @Test func anAffineMapIsPyTorchs() {
    let result = Buffer<Float>(count: 30)
    let map = AffineMap(turningBy: 30, scalingBy: 1.2, shearingBy: 10, down: 1, right: -1, of: Self.image)
    resample(Self.pixels, Self.image, by: map, into: result)
    let expected: [Float] = [
      0.567078, 0.486746, 0.476846, 0.222362, 0.0, 0.0, 1.057352, 0.689961, 0.695386, 0.941957, 0.111197, 0.038243,
      0.802665, 0.737684, 0.480775, 0.757328, 0.341912, 0.408033, 0.552724, 0.947751, 0.302249, 0.697276, 0.5036,
      0.164301, 0.492672, 0.769225, 0.512316, 0.447335, 0.609487, 0.098519,
    ]
    #expect(Self.distance(result, expected) < 5e-5)
  }

  /// PyTorch 2.15, float64: the fields ((5y + 2x) mod 9)/4 − 1 and ((4y + 7x) mod 9)/4 − 1, convolved by `conv2d` with
  /// exp(−i²/2), i = −3…3, scaled to a sum of 1, along each axis with zero padding; then `grid_sample` at p + 3 · field.
  @Test func anElasticFieldIsPyTorchs() {
    let half: [Float] = [1, 0.606530660, 0.135335283, 0.011108997]
    let bell = (-3...3).map { half[abs($0)] }
    let sum = bell.reduce(0, +)
    let weights = Buffer(bell.map { $0 / sum })
    let fields = [
      Self.pattern { y, x in Float((5 * y + 2 * x) % 9) / 4 - 1 },
      Self.pattern { y, x in Float((4 * y + 7 * x) % 9) / 4 - 1 },
    ]
    for field in fields { smooth(field, rows: 5, columns: 6, by: weights, through: Buffer(count: 30)) }
    let smoothed: [Float] = [
      -0.168924, -0.150224, -0.07309, 0.060674, 0.105149, 0.008534, -0.097683, -0.089916, -0.101941, -0.046737,
      -0.008188, -0.019523, -0.022631, 0.007786, -0.026563, -0.053394, -0.084448, -0.049693, 0.045764, 0.100793,
      0.073341, 0.028022, -0.028444, -0.00547, 0.012201, 0.089591, 0.136199, 0.101137, -0.009349, -0.027656,
    ]
    #expect(Self.distance(fields[0], smoothed) < 2e-6)
    let result = Buffer<Float>(count: 30)
    resample(Self.pixels, Self.image, displacedBy: 3, fields[0], fields[1], into: result)
    let expected: [Float] = [
      0.0, 0.184506, 0.563439, 0.975751, 0.432252, 0.367384, 0.61216, 0.968984, 0.543425, 0.615844, 0.941672, 0.025032,
      0.541765, 0.806179, 1.052917, 0.321079, 0.547976, 0.737197, 0.917654, 0.503989, 0.607877, 0.838409, 0.072142,
      0.339768, 0.841327, 0.664427, 0.092132, 0.380539, 0.991064, 0.751646,
    ]
    #expect(Self.distance(result, expected) < 5e-5)
  }

  @Test(arguments: [90.0, -90, 180, 270, 360, 0])
  func quarterTurnsAreExact(_ angle: Double) {
    let image = ImageExtents(rows: 6, columns: 6, channels: 1)
    let source = Buffer<Float>(count: image.count)
    for place in 0..<image.count { source[place] = Float(place) / 7 }
    let turned = Buffer<Float>(count: 36)
    resample(
      source, image, by: AffineMap(turningBy: angle, scalingBy: 1, shearingBy: 0, down: 0, right: 0, of: image),
      into: turned)
    for y in 0..<6 {
      for x in 0..<6 {
        // By 90 degrees the pixel on the right moves down: from the first row into the last column.
        let there =
          switch (Int(angle) + 360) % 360 {
          case 90: (5 - x) * 6 + y
          case 180: (5 - y) * 6 + 5 - x
          case 270: x * 6 + 5 - y
          default: y * 6 + x
          }
        #expect(turned[y * 6 + x] == source[there])
      }
    }
  }

  // MARK: draws

  /// What `change` makes of `source`, for each of `count` samples of one batch.
  private func draws(
    _ change: any Transformation, of source: Buffer<Float>, _ image: ImageExtents, count: Int,
    _ look: (Buffer<Float>) -> Void
  ) {
    let noise = Noise(seed: 5, step: 1, firstPosition: 0)
    let (result, workspace) = (
      Buffer<Float>(count: image.count), Buffer<Float>(count: change.workspaceCount(for: image))
    )
    for sample in 0..<count {
      var words = noise.words(forSample: sample, .augmentation)
      change.apply(to: source, image, into: result, workspace: workspace, drawing: &words)
      look(result)
    }
  }

  /// Every place is as likely as any other: χ² over the 25 has 24 degrees of freedom; its mean is 24, its deviation 7.
  @Test(arguments: [AffineTransformation(shift: 2), RandomCrop(padding: 2)] as [any Transformation])
  func shiftsAreEvenlyDistributed(_ change: any Transformation) {
    let image = ImageExtents(rows: 7, columns: 9, channels: 1)
    let source = Buffer<Float>(count: image.count)
    source[3 * 9 + 4] = 1
    var counts = [Int](repeating: 0, count: image.count)
    draws(change, of: source, image, count: 5000) { result in
      let places = result.array.indices.filter { result[$0] != 0 }
      #expect(places.count == 1 && result[places[0]] == 1)
      counts[places[0]] += 1
    }
    let reached = (1...5).flatMap { y in (2...6).map { counts[y * 9 + $0] } }
    #expect(reached.reduce(0, +) == 5000)
    let square = reached.map { Double(($0 - 200) * ($0 - 200)) }.reduce(0, +) / 200
    #expect(square > 5 && square < 60, "\(square)")
  }

  @Test func halfOfTheImagesAreMirrored() {
    let image = ImageExtents(rows: 1, columns: 2, channels: 1)
    var mirrored = 0
    draws(HorizontalFlip(), of: Buffer([1, 0]), image, count: 10_000) { result in
      #expect([[1, 0], [0, 1]].contains(result.array))
      if result[0] == 0 { mirrored += 1 }
    }
    #expect(abs(mirrored - 5000) < 200, "\(mirrored)")
  }

  /// The angle, from the two moments of a bar through the middle, is evenly distributed: mean 0, deviation limit/√3.
  @Test func anglesAreEvenlyDistributed() {
    let image = ImageExtents(rows: 21, columns: 21, channels: 1)
    let source = Buffer<Float>(count: image.count)
    for x in 0..<21 { source[10 * 21 + x] = 1 }
    var angles: [Double] = []
    draws(AffineTransformation(rotate: 20), of: source, image, count: 3000) { result in
      var (xx, xy, yy) = (0.0, 0.0, 0.0)
      for place in 0..<441 {
        let (y, x, value) = (Double(place / 21 - 10), Double(place % 21 - 10), Double(result[place]))
        (xx, xy, yy) = (xx + value * x * x, xy + value * x * y, yy + value * y * y)
      }
      // The direction that holds the most of the bar.
      angles.append(atan2(2 * xy, xx - yy) / 2 * 180 / Double.pi)
    }
    let mean = angles.reduce(0, +) / 3000
    let deviation = (angles.map { $0 * $0 }.reduce(0, +) / 3000).squareRoot()
    #expect(abs(mean) < 0.8 && abs(deviation - 20 / 3.0.squareRoot()) < 0.8, "\(mean), \(deviation)")
    #expect(angles.allSatisfy { abs($0) < 22 })
  }

  @Test func sizesAreEvenlyDistributed() {
    let image = ImageExtents(rows: 41, columns: 41, channels: 1)
    let source = Buffer<Float>(count: image.count)
    for y in 11...29 { for x in 11...29 { source[y * 41 + x] = 1 } }
    var factors: [Double] = []
    draws(AffineTransformation(scale: 0.2), of: source, image, count: 2000) { result in
      let sum = result.array.map(Double.init).reduce(0, +)
      factors.append((sum / 361).squareRoot())
    }
    let mean = factors.reduce(0, +) / 2000
    let deviation = (factors.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 2000).squareRoot()
    #expect(abs(mean - 1) < 0.02 && abs(deviation - 0.2 / 3.0.squareRoot()) < 0.01, "\(mean), \(deviation)")
  }

  /// A column that leans stays in its rows, and its sum stays.
  @Test func shearsMoveRowsSideways() {
    let image = ImageExtents(rows: 11, columns: 31, channels: 1)
    let source = Buffer<Float>(count: image.count)
    for y in 0..<11 { source[y * 31 + 15] = 1 }
    var largest = 0.0
    draws(AffineTransformation(shear: 30), of: source, image, count: 500) { result in
      var (sums, middles) = ([Double](), [Double]())
      for y in 0..<11 {
        let row = (0..<31).map { Double(result[y * 31 + $0]) }
        sums.append(row.reduce(0, +))
        middles.append(row.indices.map { row[$0] * Double($0 - 15) }.reduce(0, +))
      }
      for y in 0..<11 {
        #expect(abs(middles[y] - middles[10] * Double(y - 5) / 5) < 1e-3)
        #expect(abs(sums[y] - 1) < 1e-4)
      }
      largest = max(largest, abs(middles[10]) / 5)
    }
    #expect(largest > 0.52 && largest < 0.578, "tan 30° is 0.577: \(largest)")
  }

  /// Of a ramp the change is the displacement: its deviation is α/√3 · √(Σw²)² in the middle.
  @Test func anElasticDeformationMovesAsFarAsItSays() {
    let image = ImageExtents(rows: 28, columns: 28, channels: 1)
    let source = Buffer<Float>(count: image.count)
    for place in 0..<image.count { source[place] = Float(place % 28) }
    var squares = 0.0
    draws(ElasticDeformation.usual, of: source, image, count: 500) { result in
      let moved = Double(result[14 * 28 + 14]) - 14
      squares += moved * moved
    }
    // Σw² of a Gaussian is 1 / (2σ√π).
    let expected = 34 / 3.0.squareRoot() / (2 * 4 * Double.pi.squareRoot())
    #expect(abs((squares / 500).squareRoot() / expected - 1) < 0.12, "\((squares / 500).squareRoot()) of \(expected)")
  }

  @Test func erasedRectanglesAreThePapers() {
    let image = ImageExtents(rows: 28, columns: 28, channels: 1)
    let source = Buffer<Float>(count: 784)
    source.fill(-1)
    var (erased, area, numbers) = (0, 0, 0.0)
    var reached: Set<Int> = []
    draws(RandomErasing(), of: source, image, count: 4000) { result in
      let places = (0..<784).filter { result[$0] != -1 }
      guard let first = places.first, let last = places.last else { return }
      erased += 1
      area += places.count
      numbers += places.map { Double(result[$0]) }.reduce(0, +)
      let (height, width) = (last / 28 - first / 28 + 1, last % 28 - first % 28 + 1)
      #expect(places.count == height * width, "a rectangle")
      reached.formUnion([first / 28, last / 28, 28 + first % 28, 28 + last % 28])
      #expect(places.count >= 12 && places.count <= 360)
      #expect(Double(height) / Double(width) > 0.2 && Double(height) / Double(width) < 5)
      #expect(places.allSatisfy { (0..<1).contains(result[$0]) })
    }
    #expect(abs(erased - 2000) < 130, "\(erased)")
    // All four edges.
    #expect(reached.isSuperset(of: [0, 27, 28, 55]))
    // A large rectangle fits less often: the mean is below that of 2 % … 40 %.
    let mean = Double(area) / Double(erased) / 784
    #expect(mean > 0.1 && mean < 0.21, "\(mean)")
    #expect(abs(numbers / Double(area) - 0.5) < 0.01)
  }
}

extension [UInt8] {
  /// One of the elements.
  fileprivate func shuffledPart(_ words: inout Philox) -> [UInt8] { [self[Int(words.next(below: UInt32(count)))]] }
}
