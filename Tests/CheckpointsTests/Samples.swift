import Checkpoints
import Digests
import Tensors

/// Two small tensors, the content of the golden file.
func sampleTensors() -> [NamedTensor] {
  [
    NamedTensor(name: "a", shape: [2, 2], values: Buffer([1, 2, 3, 4])),
    NamedTensor(name: "b", shape: [1], values: Buffer([-0.5])),
  ]
}

/// A checkpoint of one small layer, its values drawn from `step` so that no two steps are alike.
func sampleCheckpoint(step: Int) -> Checkpoint {
  let tensors = ["", "optimizer.m.", "optimizer.v."].enumerated().flatMap { section, prefix in
    [
      NamedTensor(
        name: prefix + "dense.weight", shape: [2, 3],
        values: Buffer((0..<6).map { Float(step) + Float(section) / 4 + Float($0) / 64 })),
      NamedTensor(name: prefix + "dense.bias", shape: [3], values: Buffer([Float(step), -0, .leastNonzeroMagnitude])),
    ]
  }
  return Checkpoint(
    tensors: tensors, state: RunState(epoch: 1, sampleOffset: 32 * step, step: step, seed: .max),
    recipe: ["model": "mlp", "global_batch": "32", "note": "a \"quoted\"\n\\ line, ü"], weightsDigest: "d\(step)")
}

/// Empty tensors of the names and shapes of `tensors`.
func blank(_ tensors: [NamedTensor]) -> [NamedTensor] {
  tensors.map { NamedTensor(name: $0.name, shape: $0.shape, values: Buffer(count: $0.values.count)) }
}

/// Whether the two hold the same names, shapes and bits.
func isIdentical(_ left: [NamedTensor], _ right: [NamedTensor]) -> Bool {
  left.count == right.count
    && zip(left, right).allSatisfy {
      $0.name == $1.name && $0.shape == $1.shape
        && $0.values.array.map(\.bitPattern) == $1.values.array.map(\.bitPattern)
    }
}

/// A file of `header` and `data`, with the length before them.
func file(header: String, data: [UInt8] = []) -> [UInt8] {
  (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) } + Array(header.utf8) + data
}

/// The SHA-256 of `bytes`.
func sha256(_ bytes: [UInt8]) -> String {
  var hasher = SHA256Hasher()
  Buffer(bytes).withBytes { hasher.update($0) }
  return hasher.finalize().hex
}
