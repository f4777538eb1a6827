import Primitives

/// A buffer of `count` zeros. Throws if there is not enough memory.
func memory<Element>(_ count: Int) throws(IDXError.Cause) -> Buffer<Element> {
  if let memory = Buffer<Element>(trying: count) { return memory }
  throw .memory(bytes: Double(count) * Double(MemoryLayout<Element>.stride), available: availableMemory)
}
