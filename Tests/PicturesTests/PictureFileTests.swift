import Foundation
import PeerPython
import Pictures
import Testing

/// Files of pictures that Pillow wrote, whole and damaged.
@Suite(.serialized) struct PictureFileTests {
  /// Writes a ramp of greys in every way that people's pictures come, and prints each file's name and its greys.
  private static let writer = """
    import sys
    from PIL import Image
    ramp = Image.new("L", (40, 30))
    ramp.putdata([(3 * x + 4 * y) % 256 for y in range(30) for x in range(40)])
    colours = Image.merge("RGB", (ramp, ramp.rotate(180), ramp.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    clear = colours.convert("RGBA")
    clear.putalpha(255)
    ways = {
      "grey.png": (ramp, {}), "colours.png": (colours, {}), "clear.png": (clear, {}), "palette.png": (ramp.convert("P"), {}),
      "bits.png": (ramp.convert("1"), {}), "deep.png": (ramp.convert("I").point(lambda v: v * 257).convert("I;16"), {}),
      "pair.png": (clear.convert("LA"), {}), "grey.jpg": (ramp, {"quality": 100}), "colours.jpg": (colours, {"quality": 100}),
      "progressive.jpg": (ramp, {"quality": 100, "progressive": True}),
    }
    for name, (image, options) in ways.items():
      image.save(f"{sys.argv[1]}/{name}", **options)
      grey = ramp if name == "deep.png" else image.convert("RGB").convert("L")
      print(name, " ".join(str(value) for value in grey.tobytes()))
    colours.convert("CMYK").save(f"{sys.argv[1]}/printer.jpg")
    ramp.save(f"{sys.argv[1]}/animated.png", save_all=True, append_images=[ramp.rotate(90)], duration=100)
    ramp.save(f"{sys.argv[1]}/still.gif")
    Image.new("1", (30000, 30000)).save(f"{sys.argv[1]}/huge.png")
    hole = Image.new("LA", (8, 8), (0, 0))
    hole.putpixel((3, 3), (250, 255))
    hole.save(f"{sys.argv[1]}/light.png")
    hole.putpixel((3, 3), (5, 255))
    hole.save(f"{sys.argv[1]}/dark.png")
    """

  private let directory: String
  private let output: String?

  init() throws {
    directory = FileManager.default.temporaryDirectory.path + "/lockstep-pictures-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    guard let python = try PeerPython("pillow", packages: ["pillow"], modules: ["PIL"]) else {
      output = nil
      return
    }
    let result = try python.run(["-c", Self.writer, directory])
    try #require(result.status == 0, "\(result.output)")
    output = result.output
  }

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(name)")))
  }

  @Test func everyKindIsRead() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    guard let output else { return }
    let lines = output.split(separator: "\n")
    #expect(lines.count == 10)
    for line in lines {
      let words = line.split(separator: " ")
      let expected = words.dropFirst().compactMap { Int($0) }
      let image = try GreyImage(file: bytes(String(words[0])))
      try #require(image.rows == 30 && image.columns == 40 && expected.count == 1200)
      // libpng takes the luminance of light, Pillow that of stored values (ITU-R 601); JPEG rounds.
      let most = zip(image.pixels, expected).reduce(0) { max($0, abs(Int($1.0) - $1.1)) }
      let bound = words[0].hasSuffix(".jpg") ? 4 : words[0].hasPrefix("colours") || words[0].hasPrefix("clear") ? 60 : 1
      #expect(most <= bound, "\(words[0]): off by \(most)")
    }
    // What is seen is light: the rest is black; and the other way round.
    let (light, dark) = (try GreyImage(file: bytes("light.png")), try GreyImage(file: bytes("dark.png")))
    #expect(light.pixels[0] == 0 && light.pixels[27] == 250)
    #expect(dark.pixels[0] == 255 && dark.pixels[27] == 5)
  }

  @Test func whatIsNoPictureHasAReason() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    guard output != nil else { return }
    for (name, words) in [
      ("printer.jpg", "CMYK"), ("animated.png", "animated"), ("still.gif", "neither a PNG nor a JPEG"),
      ("huge.png", "30000 by 30000"),
    ] {
      let file = try bytes(name)
      let error = #expect(throws: PictureError.self, "\(name)") { _ = try GreyImage(file: file) }
      #expect(error?.description.contains(words) == true, "\(name): \(String(describing: error))")
    }
    #expect(throws: PictureError("is empty")) { _ = try GreyImage(file: []) }
  }

  /// Cut at every length, and with bytes changed: an image or an error, and never more.
  @Test func damageIsNoticedOrHarmless() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    guard output != nil else { return }
    for name in ["grey.png", "palette.png", "grey.jpg", "progressive.jpg"] {
      let whole = try bytes(name)
      // The last bytes of a PNG file are its end mark, of a JPEG file two.
      for length in 0..<whole.count - 12 {
        #expect(throws: PictureError.self, "\(name) cut at \(length)") {
          _ = try GreyImage(file: Array(whole.prefix(length)))
        }
      }
      var (words, refused) = (SystemRandomNumberGenerator.Seeded(state: 9), 0)
      for _ in 0..<3000 {
        var mutant = whole
        for _ in 0..<Int.random(in: 1...4, using: &words) {
          mutant[Int.random(in: 0..<mutant.count, using: &words)] = UInt8.random(in: 0...255, using: &words)
        }
        do throws(PictureError) { _ = try GreyImage(file: mutant) } catch { refused += 1 }
      }
      #expect(refused > 100, "\(name): \(refused) of 3000 mutants refused")
    }
  }
}

extension SystemRandomNumberGenerator {
  /// SplitMix64 (Steele, Lea & Flood 2014), so that a failure can be made again.
  struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var word = state
      word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
      return word ^ (word >> 31)
    }
  }
}
