import Foundation
import Lockstep

extension ScratchDirectory {
  /// The directory of MNIST with one pixel of each part changed: all but the digest of these data is as it was.
  func otherData() throws -> String {
    let directory = file("data")
    try FileManager.default.copyItem(atPath: try ImageDataset.directory(named: "mnist"), toPath: directory)
    for name in try FileManager.default.contentsOfDirectory(atPath: directory) where name.contains("images-idx3") {
      let file = URL(fileURLWithPath: "\(directory)/\(name)")
      var bytes = try Data(contentsOf: file)
      bytes[16] ^= 1
      try bytes.write(to: file)
    }
    return directory
  }
}
