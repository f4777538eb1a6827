import Foundation
import PeerPython
import Pictures
import Testing

/// Heat maps over images, and their files.
@Suite struct ColourImageTests {
  private static let image = ColourImage(
    heat: [0, 2, -2, 1, .nan, -0.5], over: [0, 1, 0.5, 2, 1, .nan], rows: 2, columns: 3, scale: 1)

  private func pixel(_ index: Int) -> [UInt8] { Array(Self.image.pixels[3 * index..<3 * index + 3]) }

  @Test func heatLiesOverGreys() {
    #expect(Self.image.rows == 2 && Self.image.columns == 3 && Self.image.pixels.count == 18)
    // No heat is a dimmed grey, and the largest is a pure colour.
    #expect(pixel(0) == [31, 31, 31] && pixel(1) == [255, 56, 13] && pixel(2) == [26, 115, 255])
    // Half of it is half of each, over what is beyond white as over white.
    #expect(pixel(3) == [230, 130, 108])
    // A number that is none is no heat, and a grey that is none is black.
    #expect(pixel(4) == [204, 204, 204] && pixel(5) == [29, 52, 87])
    let cold = ColourImage(heat: [0, 0], over: [1, 0], rows: 1, columns: 2, scale: 2)
    #expect(cold.pixels.count == 24 && Array(cold.pixels[..<6]) == [204, 204, 204, 204, 204, 204])
  }

  @Test func gridsHaveGaps() {
    let one = ColourImage(heat: [1], over: [0], rows: 1, columns: 1, scale: 1)
    let other = ColourImage(heat: [-1], over: [0], rows: 1, columns: 1, scale: 1)
    let grid = ColourImage(grid: [one, other, other], across: 2, gap: 1)
    #expect(grid.rows == 5 && grid.columns == 5)
    let shown = (0..<5).map { row in
      (0..<5).map { column in [255: "+", 26: "-"][grid.pixels[3 * (row * 5 + column)], default: "."] }.joined()
    }
    #expect(shown == [".....", ".+.-.", ".....", ".-...", "....."])
  }

  @Test func filesAreReadBack() throws {
    let found = try GreyImage(file: Self.image.png)
    #expect(found.rows == 2 && found.columns == 3 && found.pixels[0] == 31 && found.pixels[4] == 204)
    guard let python = try PeerPython("pillow", packages: ["pillow"], modules: ["PIL"]) else { return }
    let path = FileManager.default.temporaryDirectory.path + "/lockstep-\(UUID().uuidString).png"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(Self.image.png).write(to: URL(fileURLWithPath: path))
    let code =
      "import sys; from PIL import Image; i = Image.open(sys.argv[1]); print(i.mode, i.size, list(i.tobytes()))"
    let (status, output) = try python.run(["-c", code, path])
    #expect(status == 0 && output == "RGB (3, 2) \(Self.image.pixels)\n", "\(output)")
  }
}
