import Tensors

/// The order in which another framework has the elements of an array of ours: it goes through ``extents`` with the last axis fastest, and a
/// step along an axis is so many elements of ours as ``strides`` says.
///
/// PyTorch's [filters, channels, 3, 3] of our [3, 3, channels, filters] are extents [filters, channels, 3, 3] with strides
/// [1, filters, 3 · channels · filters, channels · filters].
public struct ElementOrder: Sendable, Hashable {
  /// The extents of the axes, outermost first. Their product is the number of elements.
  public let extents: [Int]
  /// The elements of ours from one place of an axis to the next.
  public let strides: [Int]

  /// An order of as many extents as strides, that meets each element once.
  public init(extents: [Int], strides: [Int]) {
    precondition(extents.count == strides.count, "an order of extents \(extents) and strides \(strides)")
    self.extents = extents
    self.strides = strides
  }

  /// Our own order of `count` elements.
  public init(count: Int) { self.init(extents: [count], strides: [1]) }

  /// Our array of shape `shape` with its axes in the order `axes`.
  public init(_ shape: Shape, axes: [Int]) {
    precondition(axes.sorted() == Array(0..<shape.rank), "axes \(axes) of \(shape)")
    var strides = [Int](repeating: 1, count: shape.rank)
    for axis in (0..<shape.rank).dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
    self.init(extents: axes.map { shape[$0] }, strides: axes.map { strides[$0] })
  }

  /// The elements of an image [height, width, channels] with channels first, flattened.
  init(channelsFirst image: Shape) {
    let isSame = image[2] == 1 || image[0] * image[1] == 1
    self = isSame ? ElementOrder(count: image.count) : ElementOrder(image, axes: [2, 0, 1])
  }

  /// The number of elements.
  public var count: Int { extents.reduce(1, *) }

  /// `rows` rows one behind the other, each in this order.
  public func rows(_ rows: Int) -> ElementOrder {
    ElementOrder(extents: [rows] + extents, strides: [count] + strides)
  }

  /// The columns of `rows` rows, each in this order, one behind the other: what another framework has transposed.
  public func columns(_ rows: Int) -> ElementOrder {
    ElementOrder(extents: extents + [rows], strides: strides + [count])
  }

  /// Copies `ours` into `theirs`, both of ``count`` elements.
  public func export(_ ours: Buffer<Float>, into theirs: Buffer<Float>) {
    precondition(ours.count == count && theirs.count == count, "\(ours.count) and \(theirs.count) floats for \(count)")
    forEachPlace { their, our in theirs[their] = ours[our] }
  }

  /// Copies `theirs` into `ours`, both of ``count`` elements.
  public func take(_ theirs: Buffer<Float>, into ours: Buffer<Float>) {
    precondition(ours.count == count && theirs.count == count, "\(ours.count) and \(theirs.count) floats for \(count)")
    forEachPlace { their, our in ours[our] = theirs[their] }
  }

  /// Calls `body` with each place of theirs, in order, and the same element's place of ours.
  private func forEachPlace(_ body: (Int, Int) -> Void) {
    guard count > 0 else { return }
    var index = [Int](repeating: 0, count: extents.count)
    var our = 0
    for their in 0..<count {
      body(their, our)
      // Counts up as an odometer does: an axis that is through begins anew, and the one before it goes on.
      for axis in extents.indices.reversed() {
        index[axis] += 1
        our += strides[axis]
        if index[axis] < extents[axis] { break }
        our -= extents[axis] * strides[axis]
        index[axis] = 0
      }
    }
  }
}
