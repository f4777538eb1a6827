import Foundation
import Fuzzing
import RunReport
import Testing
import Training

/// The file of explanations in a run directory, whole and damaged, and the page that shows it.
struct RecordedExplanationsTests {
  private static let explanations = RecordedExplanations(
    step: 12, score: "logit", baseline: 0.5,
    pictures: [
      RecordedExplanations.Explained(
        name: "a<b>&\"c\".png", own: nil, predicted: "7", probability: 0.9, target: "<i>", png: [1, 2, 3, 0xFF],
        maps: [
          RecordedExplanations.Map(method: "occlusion", gap: nil, deletion: .nan, insertion: 0.75, png: [4, 5]),
          RecordedExplanations.Map(method: "shapley", gap: 0.012, deletion: 0.25, insertion: 0.5, png: []),
        ])
    ])

  private static func directory() throws -> String {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("lockstep-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try Data("{\"model\": \"mlp\"}".utf8).write(to: URL(fileURLWithPath: "\(path)/config.json"))
    return path
  }

  @Test func thePageShowsThem() throws {
    let path = try Self.directory()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let before = try RunPage(RecordedRun(directory: path), pictures: nil).html
    #expect(!before.contains("Explanations"))
    try Self.explanations.write(in: path)
    let page = try RunPage(RecordedRun(directory: path), pictures: nil).html
    for text in [
      "<h2>Explanations</h2>", "weights of step 12",
      "a&lt;b&gt;&amp;&quot;c&quot;.png: taken for 7 (90 %); explained: &lt;i&gt;",
      "src=\"data:image/png;base64,AQID/w==\"", "occlusion: deletion nan, insertion 0.750<",
      "shapley: deletion 0.250, insertion 0.500, gap 1.2 % of the range<",
      "shapley of class &lt;i&gt; over the picture",
    ] { #expect(page.contains(text), "\(text)") }
    #expect(!page.contains("<i>") && !page.contains("a<b>"))
  }

  @Test func damagedFilesAreToldInALine() throws {
    let path = try Self.directory()
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Self.explanations.write(in: path)
    let file = URL(fileURLWithPath: RecordedExplanations.path(in: path))
    let whole = [UInt8](try Data(contentsOf: file))
    func read(_ bytes: some Collection<UInt8>) throws -> RecordedExplanations? {
      try Data(bytes).write(to: file)
      do { return try RecordedExplanations(directory: path) } catch let error as TrainingError {
        #expect(error.code == .badData && error.description.contains("explanations.json: is not what a run writes"))
        return nil
      }
    }
    for length in 0..<whole.count { #expect(try read(whole.prefix(length)) == nil, "\(length)") }
    #expect(try read(whole) != nil)
    var taken = 0
    try Mutants(seed: 12).forEach(of: [whole]) { _, bytes, _ in
      guard try read(bytes) != nil else { return }
      taken += 1
      if taken % 20 == 1 {
        #expect(try RunPage(RecordedRun(directory: path), pictures: nil).html.contains("<h2>Explanations</h2>"))
      }
    }
    #expect(taken > 20)
  }
}
