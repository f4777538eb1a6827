import Digests
import NeuralNetworks
import Tensors

extension ParameterLayout {
  /// The SHA-256 of the parameters' bytes (little-endian floats), one parameter after another in the layout's order,
  /// without the gaps between them. Two runs with the same digest hold the same bits.
  public func digest(of block: Buffer<Float>) -> SHA256Digest {
    var hasher = SHA256Hasher()
    for range in ranges { block[range].withBytes { hasher.update($0) } }
    return hasher.finalize()
  }
}
