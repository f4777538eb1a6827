import Foundation
import PeerPython
import Testing

extension ProgramTests {
  /// `--trace`, read by Perfetto's own description of its format.
  @Suite(.serialized)
  struct TraceTests {
    /// Prints a line a slice: track, depth, name, start and length in nanoseconds. Slices must nest.
    private static let reader = """
      import sys
      from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace
      trace = Trace()
      trace.ParseFromString(open(sys.argv[1], "rb").read())
      tracks, open_slices = {}, {}
      for packet in trace.packet:
          if packet.HasField("track_descriptor"):
              track = packet.track_descriptor
              tracks[track.uuid] = tracks[track.parent_uuid] + "/" + track.name if track.parent_uuid else track.name
              continue
          event = packet.track_event
          stack = open_slices.setdefault(event.track_uuid, [])
          if event.type == 1:
              assert not stack or packet.timestamp >= stack[-1][1]
              stack.append((event.name, packet.timestamp))
          else:
              name, start = stack.pop()
              assert packet.timestamp >= start
              print(tracks[event.track_uuid].split("/")[1], len(stack), name, start, packet.timestamp - start, sep="\\t")
      assert all(not stack for stack in open_slices.values()), "a slice has no end"
      """

    private struct Slice {
      let rank: String
      let depth: Int
      let name: String
      let start: Double
      let length: Double
    }

    private static func slices(_ file: String) throws -> [Slice]? {
      guard
        let python = try PeerPython(
          "perfetto", packages: ["perfetto", "protobuf"], modules: ["perfetto.protos.perfetto.trace.perfetto_trace_pb2"]
        )
      else { return nil }
      let (status, output) = try python.run(["-c", reader, file])
      try #require(status == 0, "\(output)")
      return output.split(separator: "\n").compactMap { line in
        let words = line.split(separator: "\t").map(String.init)
        guard words.count == 5, let depth = Int(words[1]), let start = Double(words[3]), let length = Double(words[4])
        else {
          return nil
        }
        return Slice(rank: words[0], depth: depth, name: words[2], start: start, length: length)
      }
    }

    /// An epoch of three ranks: every step of each is there, and the sums are those of the metrics.
    @Test func allRanksOfAnEpochAreThere() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let run = scratch.file("run")
      let outcome = try Program.run(
        [
          "train", "--data", scratch.file("data"), "--model", "mlp:64-300-10", "--epochs", "2", "--trace", "1-6",
          "--run-dir", run,
        ], ranks: 3)
      #expect(outcome.code == 0 && outcome.errorLines.isEmpty, "\(outcome.errors)")
      guard let slices = try Self.slices("\(run)/trace.pftrace") else { return }
      #expect(Set(slices.map(\.rank)) == ["rank 0", "rank 1", "rank 2"])
      func sum(_ names: Set<String>, _ rank: String) -> Double {
        slices.filter { names.contains($0.name) && $0.rank == rank }.reduce(0) { $0 + $1.length } / 1e9
      }
      let line = try #require(
        try String(contentsOfFile: "\(run)/metrics.jsonl", encoding: .utf8).split(separator: "\n").first)
      let metrics = try JSONDecoder().decode([String: Double].self, from: Data(line.utf8))
      var compute = 0.0
      for rank in ["rank 0", "rank 1", "rank 2"] {
        let own = slices.filter { $0.rank == rank }
        #expect(own.filter { $0.name == "step" }.count == 6)
        #expect(own.filter { $0.name == "evaluation" }.count == 1)
        // Rank 0 writes it.
        #expect(own.filter { $0.name == "checkpoint" }.count == (rank == "rank 0" ? 1 : 0))
        #expect(own.contains { $0.name == "wait" } && own.contains { $0.name.hasPrefix("forward dense") })
        #expect(own.contains { $0.name.hasPrefix("backward dense") })
        #expect(own.filter { $0.name == "step" }.allSatisfy { $0.depth == 0 })
        compute += sum(["gradients", "optimizer"], rank) / 3
      }
      let expected = try #require(metrics["compute_seconds"])
      // Six steps of some tenths of a millisecond: the looks at the clock count.
      #expect(abs(compute - expected) < 0.02 * expected + 2e-4, "\(compute) s of \(expected) s")
    }

    /// The same weights as without a trace, and no file where no such step was taken.
    @Test func aTraceChangesNothing() throws {
      let scratch = try ScratchDirectory()
      try SmallSet().write(to: scratch.file("data"))
      let train = ["train", "--data", scratch.file("data"), "--model", "mlp:64-8-10", "--epochs", "1", "--run-dir"]
      let plain = try Program.run(train + [scratch.file("plain")])
      let traced = try Program.run(train + [scratch.file("traced"), "--trace", "2"])
      #expect(plain.code == 0 && traced.code == 0 && plain.weightsDigest == traced.weightsDigest, "\(traced.errors)")
      #expect(!FileManager.default.fileExists(atPath: "\(scratch.file("plain"))/trace.pftrace"))
      let trace = "\(scratch.file("traced"))/trace.pftrace"
      let whole = try Data(contentsOf: URL(fileURLWithPath: trace))
      // A run that goes on behind the steps leaves the trace alone.
      let on = try Program.run(
        Array(train.prefix(5)) + ["--epochs", "2", "--run-dir", scratch.file("traced"), "--trace", "2"])
      #expect(on.code == 0, "\(on.errors)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: trace)) == whole)
      for steps in ["0", "3-2", "a", "1-2-3", "-3", ""] {
        let outcome = try Program.run(train + [scratch.file("wrong"), "--trace", steps])
        #expect(outcome.code == 64 && outcome.errorLines.count == 1, "\(steps): \(outcome.errors)")
      }
    }
  }
}
