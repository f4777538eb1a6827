import Glibc

/// The memory behind one or more ``Buffer``s: allocated once, 64-byte aligned (a cache line, an AVX-512 vector), zeroed.
@usableFromInline
@safe
final class BufferStorage: @unchecked Sendable {
  @usableFromInline let base: UnsafeMutableRawPointer
  private let isOwned: Bool

  @usableFromInline
  init(byteCount: Int) {
    guard let memory = unsafe Self.zeros(byteCount) else { endWithoutMemory(byteCount) }
    isOwned = true
    unsafe base = memory
  }

  /// nil if the system does not give the memory.
  init?(trying byteCount: Int) {
    guard let memory = unsafe Self.zeros(byteCount) else { return nil }
    isOwned = true
    unsafe base = memory
  }

  private static func zeros(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    var allocated: UnsafeMutableRawPointer?
    guard unsafe posix_memalign(&allocated, 64, max(byteCount, 1)) == 0, let memory = unsafe allocated else {
      return nil
    }
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    return unsafe memory
  }

  /// Memory that somebody else keeps for as long as the process lives.
  init(borrowed: UnsafeMutableRawPointer) {
    isOwned = false
    unsafe base = borrowed
  }

  deinit { if isOwned { unsafe base.deallocate() } }
}

/// A window onto flat memory that several owners may share: the one currency between layers, kernels and collectives.
///
/// A copy of a `Buffer` sees the same elements, as a slice of it does, and keeps the memory alive. Every subscript is
/// bounds-checked. Two threads must not write the same elements without an order between them (a collective is one).
///
/// It is no `Span`, because a step's buffers are cut once, before the first batch, and kept by layers for the whole
/// run, which a lifetime-bound span cannot be.
@frozen
@safe
public struct Buffer<Element: BitwiseCopyable>: @unchecked Sendable {
  @usableFromInline let storage: BufferStorage
  /// The first element. For kernels and collectives only; valid while this buffer is alive.
  public let base: UnsafeMutablePointer<Element>
  /// The number of elements.
  public let count: Int

  @inlinable
  init(storage: BufferStorage, base: UnsafeMutablePointer<Element>, count: Int) {
    self.storage = storage
    unsafe self.base = base
    self.count = count
  }

  /// Allocates `count` elements whose bytes are all zero. Ends the process if the memory cannot be had
  /// (``endingWithoutMemory``).
  @inlinable
  public init(count: Int) {
    precondition(count >= 0, "a buffer of \(count) elements")
    let (byteCount, isTooLarge) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    let storage = BufferStorage(byteCount: isTooLarge ? .max : byteCount)
    unsafe self.init(
      storage: storage, base: storage.base.bindMemory(to: Element.self, capacity: max(count, 1)), count: count)
  }

  /// Allocates `count` elements whose bytes are all zero, or returns nil if there is not enough memory: for sizes that
  /// come out of a file.
  public init?(trying count: Int) {
    let (byteCount, isTooLarge) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    guard count >= 0, !isTooLarge, byteCount <= availableMemory, let storage = BufferStorage(trying: byteCount) else {
      return nil
    }
    unsafe self.init(
      storage: storage, base: storage.base.bindMemory(to: Element.self, capacity: max(count, 1)), count: count)
  }

  /// Looks onto `count` elements at `base`, which must stay there for as long as the process lives: memory that processes share.
  public init(processMemory base: UnsafeMutablePointer<Element>, count: Int) {
    unsafe self.init(storage: BufferStorage(borrowed: UnsafeMutableRawPointer(base)), base: base, count: count)
  }

  /// Allocates a copy of `elements`.
  @inlinable
  public init(_ elements: some Collection<Element>) {
    self.init(count: elements.count)
    for (index, element) in elements.enumerated() { self[index] = element }
  }

  /// The element at `index`, which must be in `0..<count`.
  @inlinable
  public subscript(index: Int) -> Element {
    get {
      precondition(index >= 0 && index < count, "buffer index out of range")
      return unsafe base[index]
    }
    nonmutating set {
      precondition(index >= 0 && index < count, "buffer index out of range")
      unsafe base[index] = newValue
    }
  }

  /// The elements of `range`, in the same memory.
  @inlinable
  public subscript(range: Range<Int>) -> Buffer {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "buffer range \(range) outside 0..<\(count)")
    return unsafe Buffer(storage: storage, base: base + range.lowerBound, count: range.count)
  }

  /// The first `length` elements, in the same memory.
  @inlinable
  public func prefix(_ length: Int) -> Buffer { self[0..<length] }

  /// Sets every element to `value`.
  @inlinable
  public func fill(_ value: Element) { unsafe base.update(repeating: value, count: count) }

  /// Copies all of `source`, which must have as many elements, here.
  @inlinable
  public func copy(from source: Buffer) {
    precondition(source.count == count, "copy of \(source.count) elements into \(count)")
    unsafe base.update(from: source.base, count: count)
  }

  /// The elements, copied into an array.
  @inlinable
  public var array: [Element] { unsafe Array(UnsafeBufferPointer(start: base, count: count)) }

  /// Calls `body` with the elements, to change them in place.
  @inlinable
  public func withMutableSpan<Result, Failure: Error>(
    _ body: (inout MutableSpan<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var span = unsafe MutableSpan(_unsafeStart: base, count: count)
    return try body(&span)
  }

  /// The elements' bytes, for hashing and for writing to a file.
  @inlinable
  public func withBytes<Result, Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe body(RawSpan(_unsafeStart: UnsafeRawPointer(base), byteCount: count * MemoryLayout<Element>.stride))
  }

  /// Overwrites the elements from `bytes`, which must be as many as theirs.
  @inlinable
  public func copy(fromBytes bytes: RawSpan) {
    precondition(bytes.byteCount == count * MemoryLayout<Element>.stride, "copy of \(bytes.byteCount) bytes")
    unsafe bytes.withUnsafeBytes { source in
      if let start = source.baseAddress {
        unsafe UnsafeMutableRawPointer(base).copyMemory(from: start, byteCount: source.count)
      }
    }
  }
}
