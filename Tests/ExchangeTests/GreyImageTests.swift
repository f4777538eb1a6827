import CZlib
import Exchange
import Foundation
import PeerPython
import Testing

/// PNG files, read back by their specification, and by Pillow.
@Suite struct GreyImageTests {
  /// The chunks of a PNG file, whose signature, lengths and checksums must be right.
  private func chunks(_ png: [UInt8]) throws -> [(name: String, content: [UInt8])] {
    try #require(Array(png.prefix(8)) == [0x89] + Array("PNG\r\n".utf8) + [0x1A, 0x0A])
    func word(_ at: Int) -> Int { png[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
    var (found, at) = ([(name: String, content: [UInt8])](), 8)
    while at < png.count {
      let end = at + 8 + word(at)
      try #require(png.count >= end + 4)
      // CRC-32 bit by bit: ISO 3309's polynomial, reflected.
      let checksum = ~png[at + 4..<end].reduce(~UInt32(0)) { sum, byte in
        (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
      }
      #expect(word(end) == Int(checksum))
      found.append((String(decoding: png[at + 4..<at + 8], as: UTF8.self), Array(png[at + 8..<end])))
      at = end + 4
    }
    return found
  }

  private static func image(rows: Int, columns: Int) -> GreyImage {
    var image = GreyImage(rows: rows, columns: columns, filledWith: 7)
    for k in image.pixels.indices { image.pixels[k] = UInt8(truncatingIfNeeded: k * k * 31) }
    return image
  }

  @Test(arguments: [(1, 1), (3, 5), (200, 333)])
  func isReadBack(rows: Int, columns: Int) throws {
    let image = Self.image(rows: rows, columns: columns)
    let chunks = try chunks(image.png)
    #expect(chunks.map(\.name) == ["IHDR", "IDAT", "IEND"])
    #expect(
      chunks[0].content == [0, 0, UInt8(columns >> 8), UInt8(columns & 255), 0, 0, UInt8(rows >> 8), UInt8(rows & 255)]
        + [8, 0, 0, 0, 0])
    var count = UInt(rows * (columns + 1))
    var unpacked = [UInt8](repeating: 9, count: Int(count))
    #expect(unsafe uncompress(&unpacked, &count, chunks[1].content, UInt(chunks[1].content.count)) == Z_OK)
    #expect(Int(count) == unpacked.count)
    for row in 0..<rows {
      let line = unpacked[row * (columns + 1)..<(row + 1) * (columns + 1)]
      #expect(line.first == 0 && line.dropFirst().elementsEqual(image.pixels[row * columns..<(row + 1) * columns]))
    }
    #expect(chunks[2].content.isEmpty)
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
