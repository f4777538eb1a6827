import Fuzzing
import NeuralNetworks
import Tensors
import Testing

/// Damaged files of models: each is refused with one line, or is a net, and none ends the process.
@Suite struct ModelDescriptionFuzzTests {
  private static let mnist: Shape = [28, 28, 1]

  private static let file = """
    {"name": "mine", "layers": [
      {"type": "Conv2D", "filters": 4, "kernel": 3, "padding": "same"},
      {"repeat": 2, "layers": [
        {"type": "Residual", "body": [{"type": "Conv2D", "filters": 4, "kernel": 1}, {"type": "ReLU"}]},
        {"type": "MaxPool2D", "size": 2}
      ]},
      {"type": "Reshape", "shape": [49, 4]},
      {"type": "MultiHeadAttention", "heads": 2, "causal": true},
      {"type": "Dropout", "probability": 0.25},
      {"type": "Dense", "units": "outputs"}
    ]}
    """

  @Test func everyTruncationIsRefused() throws {
    let bytes = Array(Self.file.utf8)
    #expect(throws: Never.self) { try ModelDescription(Array(Self.file.utf8)).model(input: Self.mnist, outputs: 10) }
    for length in 0..<bytes.count {
      #expect(throws: ModelDescriptionError.self) { try ModelDescription(Array(bytes.prefix(length))) }
    }
  }

  /// A mutant is refused with a line, or is a net that can be planned, written and read back.
  @Test func mutantsAreRefusedOrReadBack() throws {
    let texts =
      try [Self.file]
      + ["vit", "rnn", "gpt"].map { name in
        try ModelDescription(outputs: 10) { try Model.named(name, input: Self.mnist, outputs: $0) }.text
      }
    var read = 0
    try Mutants(seed: 9).forEach(of: texts.map { Array($0.utf8) }) { number, mutant, _ in
      do {
        let model = try ModelDescription(mutant).model(input: Self.mnist, outputs: 10)
        read += 1
        let again = try ModelDescription(name: model.name, layersText: model.layersText)
          .model(input: Self.mnist, outputs: 10)
        if again.layersText != model.layersText { Issue.record("seed 9, mutant \(number)") }
        _ = try ModelSummary(model)
        _ = PassPlan(model, microbatch: 4)
      } catch let error as ModelDescriptionError {
        if error.description.contains("\n") { Issue.record("seed 9, mutant \(number): \(error)") }
      }
    }
    #expect(read > 10)
    print("\(read) taken, as nets")
  }
}
