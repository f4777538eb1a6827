/// An image in squares side by side, its patches, in the order of ``Patches``: row by row, and so the pixels of each.
struct PatchGrid: Hashable, Sendable {
  /// The side of a patch.
  let size: Int
  /// The patches above one another.
  let rows: Int
  /// The patches beside one another.
  let columns: Int

  /// Nil where patches of `size` × `size` do not fill an image of `height` × `width`.
  init?(height: Int, width: Int, size: Int) {
    guard size >= 1, height >= 1, width >= 1, height % size == 0, width % size == 0 else { return nil }
    (self.size, rows, columns) = (size, height / size, width / size)
  }

  /// The patches of an image.
  var count: Int { rows * columns }
  /// The pixels of a patch.
  var patchPixels: Int { size * size }
  /// The pixels of an image.
  var pixels: Int { count * patchPixels }

  /// Calls `body` with each pixel of `images` images, one behind the other, in the order of the patches.
  ///
  /// - Parameter body: called with the pixel's place [images, patches, pixels of a patch], its place [images, height, width], and its place in
  ///   its patch.
  @inline(__always)
  func forEachPixel(of images: Int, _ body: (_ inPatches: Int, _ inImages: Int, _ place: Int) -> Void) {
    var inPatches = 0
    for band in 0..<images * rows {
      for column in 0..<columns {
        for place in 0..<patchPixels {
          let (row, offset) = (band * size + place / size, column * size + place % size)
          body(inPatches, row * columns * size + offset, place)
          inPatches += 1
        }
      }
    }
  }
}
