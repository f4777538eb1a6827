import Foundation
import PeerPython
import Testing

extension ProgramTests {
  /// Model cards.
  @Suite(.serialized)
  struct CardTests {
    private static let sections = [
      "Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data",
      "Quantitative analyses",
      "Ethical considerations", "Caveats and recommendations",
    ]

    private static func train(_ scratch: ScratchDirectory, _ flags: [String] = []) throws {
      try SmallSet().write(to: scratch.file("data"))
      let train = ["train", "--data", scratch.file("data"), "--model", "mlp:64-8-10", "--epochs", "2"]
      let outcome = try Program.run(train + ["--run-dir", scratch.file("run")] + flags)
      #expect(outcome.code == 0, "\(outcome.errors)")
    }

    /// Hugging Face's own library reads the header, and finds the figures of the summary.
    @Test(arguments: [true, false]) func theHubReadsIt(isPrivate: Bool) throws {
      let scratch = try ScratchDirectory()
      try Self.train(scratch, isPrivate ? ["--private", "--noise-multiplier", "1"] : [])
      let use = "Digits | of `forms`: \"yes\" <b>& more</b>\nand lines"
      let outcome = try Program.run([
        "card", scratch.file("run"), "--use", use, "--license", "apache-2.0", "--contact", "a: b #c", "--misuse",
        "*Any*",
      ])
      #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
      let card = try String(contentsOfFile: scratch.file("run/card.md"), encoding: .utf8)
      let headings = card.split(separator: "\n").filter { $0.hasPrefix("## ") }.map { $0.dropFirst(3) }
      #expect(headings == Self.sections.map { $0[...] })
      #expect(card.contains("not private") != isPrivate && card.contains("differentially private") == isPrivate)
      #expect(!card.contains("{{") && !card.contains("&quot;") && !card.contains("<b>"), "\(card)")
      guard
        let python = try PeerPython("huggingface-hub", packages: ["huggingface_hub"], modules: ["huggingface_hub"])
      else { return }
      let script = """
        import json, sys
        from huggingface_hub import ModelCard
        run = sys.argv[1]
        card = ModelCard.load(run + "/card.md")
        summary = json.load(open(run + "/summary.json"))
        data = card.data
        assert (data.library_name, data.license, data.pipeline_tag) == ("lockstep", "apache-2.0", "image-classification"), data
        assert data.model_name == summary["model"], data.model_name
        figures = {result.metric_type: result.metric_value for result in data.eval_results}
        assert figures["accuracy"] == summary["test_accuracy"] and figures["f1"] == summary["test_metrics"]["macro"]["f1"], figures
        assert all(result.dataset_name.endswith("/data") for result in data.eval_results)
        assert summary["weights_digest"] in card.text
        # Written anew by the library, it is the same.
        assert ModelCard(str(card)).data.to_dict() == data.to_dict()
        """
      let result = try python.run(["-c", script, scratch.file("run")])
      #expect(result.status == 0, "\(result.output)")
    }

    @Test func whatCannotBeIsOneLine() throws {
      let scratch = try ScratchDirectory()
      #expect(try Program.run(["card", scratch.file("none")]).code == 66)
      try Self.train(scratch, ["--no-report"])
      try FileManager.default.removeItem(atPath: scratch.file("run/summary.json"))
      let unfinished = try Program.run(["card", scratch.file("run")])
      #expect(unfinished.code == 65 && unfinished.errorLines.count == 1 && unfinished.errors.contains("not finished"))
      try Self.train(scratch, ["--resume", "never", "--run-dir", scratch.file("other")])
      let full = try Program.run(["card", scratch.file("other"), "--output", scratch.file("none/card.md")])
      #expect(full.code == 73 && full.errorLines.count == 1, "\(full.errors)")
    }
  }
}
