import Foundation
import PeerPython
import Pictures
import Testing

/// PNG files that we write, read back by us and by Pillow.
@Suite struct GreyImageTests {
  private static func image(rows: Int, columns: Int) -> GreyImage {
    var image = GreyImage(rows: rows, columns: columns, filledWith: 7)
    for k in image.pixels.indices { image.pixels[k] = UInt8(truncatingIfNeeded: k * k * 31) }
    return image
  }

  @Test(arguments: [(1, 1), (3, 5), (200, 333)])
  func isReadBack(rows: Int, columns: Int) throws {
    let image = Self.image(rows: rows, columns: columns)
    let found = try GreyImage(file: image.png)
    #expect(found.rows == rows && found.columns == columns && found.pixels == image.pixels)
  }

  @Test func pillowReadsIt() throws {
    guard let python = try PeerPython("pillow", packages: ["pillow"], modules: ["PIL"]) else { return }
    let path = FileManager.default.temporaryDirectory.path + "/lockstep-\(UUID().uuidString).png"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let image = Self.image(rows: 20, columns: 31)
    try Data(image.png).write(to: URL(fileURLWithPath: path))
    let code =
      "import sys; from PIL import Image; i = Image.open(sys.argv[1]); print(i.mode, i.size, list(i.tobytes()))"
    let (status, output) = try python.run(["-c", code, path])
    #expect(status == 0 && output == "L (31, 20) \(image.pixels)\n", "\(output)")
  }

  /// Three images of 1 × 2 in a grid of two by two, each pixel a square of two, a line of grey between.
  @Test func grid() {
    let image = GreyImage(grid: [0, 1, 1, 0.5, 0, 0], rows: 1, columns: 2, scale: 2, gap: 1)
    #expect(image.rows == 7 && image.columns == 11)
    let expected = [
      "...........", ".00##.##oo.", ".00##.##oo.", "...........", ".0000......", ".0000......", "...........",
    ]
    let shown = (0..<7).map { row in
      image.pixels[row * 11..<(row + 1) * 11].map { [0: "0", 255: "#"][$0, default: $0 == 128 ? "." : "o"] }.joined()
    }
    // A half is the grey between images, too.
    #expect(shown == expected.map { $0.replacingOccurrences(of: "o", with: ".") })
    #expect(GreyImage(grid: [2, -1], rows: 1, columns: 2, scale: 1, gap: 0).pixels == [255, 0])
  }
}
