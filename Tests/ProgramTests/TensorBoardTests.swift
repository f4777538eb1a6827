import Foundation
import PeerPython
import Testing

extension ProgramTests {
  /// The event file of a run, read by TensorBoard itself.
  @Suite(.serialized)
  struct TensorBoardTests {
    /// 192 samples, so an epoch is six steps.
    private static func recipe(_ scratch: ScratchDirectory) throws -> [String] {
      try SmallSet().write(to: scratch.file("data"))
      return ["train", "--data", scratch.file("data"), "--model", "mlp:64-8-10", "--run-dir", scratch.file("run")]
    }

    /// TensorBoard's readers, and what the events of a run must be.
    private static let reader = """
      import collections, glob, json, signal, struct, subprocess, sys, time
      from tensorboard.backend.event_processing import event_accumulator, event_file_loader
      from tensorboard.plugins.hparams import metadata

      TAGS = {
          "epoch": "epoch", "train/samples": "train_samples", "train/loss": "train_loss",
          "train/accuracy": "train_accuracy", "train/learning_rate": "learning_rate", "test/loss": "test_loss",
          "test/accuracy": "test_accuracy", "validation/loss": "validation_loss",
          "validation/accuracy": "validation_accuracy", "samples_per_second": "samples_per_second",
          "time/training_seconds": "seconds", "time/evaluation_seconds": "evaluation_seconds",
          "time/compute_seconds": "compute_seconds", "time/communication_seconds": "communication_seconds",
          "time/waiting_seconds": "waiting_seconds", "time/slowest_rank": "slowest_rank",
          "train/skipped_steps": "skipped_steps", "gradient/norm": "gradient_norm",
          "gradient/noise_scale": "gradient_noise_scale", "privacy/epsilon": "epsilon",
      }

      def metrics(run):
          with open(run + "/metrics.jsonl") as lines:
              return [json.loads(line) for line in lines if line.endswith("\\n")]

      def accumulator(run):
          return event_accumulator.EventAccumulator(run, size_guidance={"scalars": 0, "tensors": 0})

      def scalars(events):
          events.Reload()
          return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}

      def expected(run):
          lines = metrics(run)
          unknown = {key for line in lines for key in line} - set(TAGS.values()) - {"step"}
          assert not unknown, unknown
          values = {tag: [(line["step"], struct.unpack("f", struct.pack("f", line[key]))[0]) for line in lines if key in line]
                    for tag, key in TAGS.items()}
          return {tag: found for tag, found in values.items() if found}

      def check_files(run):
          "No file has a step twice, nor have two of them, whatever a reader does about it."
          seen = collections.Counter()
          for path in sorted(glob.glob(run + "/events.out.tfevents.*")):
              events = list(event_file_loader.EventFileLoader(path).Load())
              assert events[0].file_version == "brain.Event:2", events[0]
              seen.update((value.tag, event.step) for event in events for value in event.summary.value)
          assert seen and max(seen.values()) == 1, seen

      def check(run, found):
          want = expected(run)
          assert found == want, f"{found} instead of {want}"
          check_files(run)

      """

    private static func python() throws -> PeerPython? {
      try PeerPython(
        "tensorboard", packages: ["tensorboard"],
        modules: ["tensorboard.backend.event_processing.event_accumulator", "tensorboard.plugins.hparams.metadata"])
    }

    private static func check(_ script: String, _ arguments: [String]) throws {
      guard let python = try python() else { return }
      let result = try python.run(["-c", reader + script] + arguments)
      #expect(result.status == 0, "\(result.output)")
    }

    /// Every figure of `metrics.jsonl` under its tag, and the recipe.
    @Test func theFiguresAndTheRecipe() throws {
      let scratch = try ScratchDirectory()
      let train = try Self.recipe(scratch) + ["--epochs", "3", "--schedule", "cosine", "--clip-norm", "0.5"]
      let outcome = try Program.run(train, ranks: 2)
      #expect(outcome.code == 0, "\(outcome.errors)")
      let script = """
        run = sys.argv[1]
        events = accumulator(run)
        check(run, scalars(events))
        tags = events.PluginTagToContent("hparams")
        assert sorted(tags) == ["_hparams_/" + name for name in ("experiment", "session_end_info", "session_start_info")]
        start = metadata.parse_session_start_info_plugin_data(tags[metadata.SESSION_START_INFO_TAG]).hparams
        numbers = {"epochs": 3, "global_batch": 32, "seed": 0, "learning_rate": 0.001, "clip_norm": 0.5, "ranks": 2}
        assert {name: start[name].number_value for name in numbers} == numbers
        assert start["model"].string_value == "mlp:64-8-10" and start["schedule"].string_value == "cosine"
        experiment = metadata.parse_experiment_plugin_data(tags[metadata.EXPERIMENT_TAG])
        assert set(start) < {info.name for info in experiment.hparam_infos}
        assert "test/accuracy" in {info.name.tag for info in experiment.metric_infos}
        assert metadata.parse_session_end_info_plugin_data(tags[metadata.SESSION_END_INFO_TAG]).status == 1
        """
      try Self.check(script, [scratch.file("run")])
      // A finished run that is run again has nothing to add.
      let names = try FileManager.default.contentsOfDirectory(atPath: scratch.file("run")).sorted()
      #expect(try Program.run(train).code == 0)
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.file("run")).sorted() == names)
      #expect(names.filter { $0.hasPrefix("events.out.tfevents.") }.count == 1, "\(names)")
    }

    /// A histogram of each parameter after each epoch, the last one that of the weights that are saved; pictures at the end, once.
    @Test func histogramsAndPictures() throws {
      let scratch = try ScratchDirectory()
      let train = try Self.recipe(scratch) + ["--epochs", "2"]
      #expect(try Program.run(train).code == 0)
      #expect(try Program.run(train + ["--epochs", "3"]).code == 0)
      #expect(try Program.run(train + ["--epochs", "3"]).code == 0)
      let export = ["export", scratch.file("run"), "--format", "npz", "--output", scratch.file("weights.npz")]
      let exported = try Program.run(export)
      #expect(exported.code == 0, "\(exported.errors)")
      let script = """
        import numpy
        run, weights = sys.argv[1], numpy.load(sys.argv[2])
        events = event_accumulator.EventAccumulator(run, size_guidance={"scalars": 0, "tensors": 0, "histograms": 0, "images": 0})
        check(run, scalars(events))
        tags = events.Tags()["histograms"]
        assert tags == ["weights/" + name for name in ("dense1.weights", "dense1.bias", "dense2.weights", "dense2.bias")], tags
        # The archive has PyTorch's names, in the same order.
        for tag, name in zip(tags, weights, strict=True):
            found = events.Histograms(tag)
            assert [event.step for event in found] == [6, 12, 18], found
            last, value = weights[name], found[-1].histogram_value
            assert value.num == last.size == sum(value.bucket), value
            assert (value.min, value.max) == (last.min(), last.max()), value
            assert abs(value.sum - last.sum(dtype=float)) < 1e-9 and abs(value.sum_squares - (last.astype(float) ** 2).sum()) < 1e-9
            counts, _ = numpy.histogram(last, bins=[value.min] + value.bucket_limit)
            assert abs(counts - value.bucket).sum() <= 2, (counts, value.bucket)
        images = events.Tags()["images"]
        assert "pictures/filters" in images and "pictures/mistake 1" in images, images
        for tag in images:
            found = events.Images(tag)
            assert [event.step for event in found] in ([12, 18], [12], [18]), found
            for event in found:
                png = event.encoded_image_string
                assert png[:8] == b"\\x89PNG\\r\\n\\x1a\\n" and struct.unpack(">II", png[16:24]) == (event.width, event.height)
        assert [event.step for event in events.Images("pictures/filters")] == [12, 18]
        """
      try Self.check(script, [scratch.file("run"), scratch.file("weights.npz")])
    }

    /// The test data are evaluated once, at the end, and the tab of hyperparameters compares runs by that.
    @Test func aRunWithValidationEndsWithItsTest() throws {
      let scratch = try ScratchDirectory()
      let train = try Self.recipe(scratch) + ["--epochs", "2", "--validation", "0.25"]
      #expect(try Program.run(train).code == 0)
      let script = """
        run = sys.argv[1]
        found = scalars(accumulator(run))
        summary = json.load(open(run + "/summary.json"))
        for name in ("loss", "accuracy"):
            [(step, value)] = found.pop("test/" + name)
            assert step == summary["steps"] and abs(value - summary["test_" + name]) < 1e-6
        check(run, found)
        """
      try Self.check(script, [scratch.file("run")])
    }

    /// A TensorBoard that has read along, and one that comes later, both see each epoch once.
    @Test func aKilledRunHasNoStepTwice() throws {
      let scratch = try ScratchDirectory()
      let train = try Self.recipe(scratch)
      let script = """
        run, program = sys.argv[1], sys.argv[2:]
        job = subprocess.Popen(program + ["--epochs", "1000000", "--checkpoint-every", "64epochs"], stdout=subprocess.DEVNULL)
        def steps():
            try: return [line["step"] for line in metrics(run)]
            except FileNotFoundError: return []
        # Stopped where there are more epochs than the checkpoint has.
        while job.poll() is None and not (len(steps()) > 64 and 8 <= len(steps()) % 64 <= 40): time.sleep(0.001)
        job.send_signal(signal.SIGSTOP)
        early = accumulator(run)
        early.Reload()
        job.kill()
        assert job.wait() == -signal.SIGKILL
        seen = scalars(early)["epoch"]
        last = len(seen) + 3
        later = subprocess.run(program + ["--epochs", str(last)], capture_output=True, text=True)
        assert later.returncode == 0 and "resumed after step" in later.stdout, later
        resumed = int(later.stdout.split("resumed after step ")[1].split()[0])
        assert resumed < seen[-1][0], "nothing was to be removed"
        check(run, scalars(accumulator(run)))
        found = scalars(early)
        assert found == expected(run), f"{found} instead of {expected(run)}"
        assert [step for step, _ in found["epoch"]] == [6 * (epoch + 1) for epoch in range(last)]
        """
      try Self.check(script, [scratch.file("run"), Program.path] + train)
    }

    /// A run that ends within an epoch writes its figures so far; a longer one goes through the epoch to its end. It need not have
    /// finished one.
    @Test(arguments: ["9", "3"]) func aRunThatStopsWithinAnEpochHasNoStepTwice(_ steps: String) throws {
      let scratch = try ScratchDirectory()
      let train = try Self.recipe(scratch) + ["--epochs", "3", "--metrics", "csv"]
      #expect(try Program.run(train + ["--max-steps", steps]).code == 0)
      let script = "check(sys.argv[1], scalars(accumulator(sys.argv[1])))"
      try Self.check(script, [scratch.file("run")])
      #expect(try Program.run(train).code == 0)
      try Self.check(
        script + "\nassert [line['step'] for line in metrics(sys.argv[1])] == [6, 12, 18]", [scratch.file("run")])
    }

    /// What is damaged ends there; what is no file of ours stays; a run can do without.
    @Test func otherFiles() throws {
      let scratch = try ScratchDirectory()
      let train = try Self.recipe(scratch)
      #expect(try Program.run(train + ["--epochs", "2", "--no-tensorboard"]).code == 0)
      let run = scratch.file("run")
      func events() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: run).filter { $0.contains("tfevents") }.sorted()
      }
      #expect(try events() == [])
      let other = "events.out.tfevents.1.host"
      let newer = "events.out.tfevents.99999999999999999999.host.1.lockstep"
      for name in [other, newer] { try Data("of another program".utf8).write(to: URL(filePath: "\(run)/\(name)")) }
      let leftover = ".events.out.tfevents.1.host.1.lockstep.tmp"
      try Data("half".utf8).write(to: URL(filePath: "\(run)/\(leftover)"))
      #expect(try Program.run(train + ["--epochs", "3"]).code == 0)
      let found = try events()
      #expect(found.count == 2 && found.contains(other), "\(found)")
    }

    /// Each call on the events, the table or the file for Prometheus fails in turn: one line and 73, or a warning where the run is to
    /// go on; and then the same command ends with each epoch once.
    @Test func aFaultAtEveryCallLosesNothing() throws {
      let scratch = try ScratchDirectory()
      let faults = try WriteFaults(scratch)
      let prometheus = ["--prometheus", scratch.file("run.prom")]
      let train = try Self.recipe(scratch) + ["--epochs", "3", "--metrics", "csv"] + prometheus
      let run = scratch.file("run")
      for (name, goesOn, least) in [
        ("tfevents", false, 14), ("tfevents", true, 14), ("metrics.csv", false, 14), ("metrics.csv", true, 14),
        ("run.prom", false, 20),
      ] {
        let count = try faults.count(of: name, in: run, train, goesOn: goesOn)
        #expect(count >= least, "\(count) faults on \(name)")
        print("\(count) faults on \(name)")
      }
    }
  }
}
