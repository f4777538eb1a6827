import Exchange
import Testing

/// The texts are those of prometheus.io/docs/instrumenting/exposition_formats.
struct PrometheusTextTests {
  @Test func metrics() {
    var text = PrometheusText(labels: [("model", "mlp:4-2"), ("run_dir", "a\\b\n\"ü\"")])
    text.add("a_total", .counter, help: "How \"often\",\nwith \\.", 3)
    text.add("b", help: "A number.", 1e-5)
    text.add("c", help: "None.", nil)
    let labels = #"{model="mlp:4-2",run_dir="a\\b\n\"ü\""}"#
    #expect(
      text.text == #"""
        # HELP a_total How "often",\nwith \\.
        # TYPE a_total counter
        a_total\#(labels) 3.0
        # HELP b A number.
        # TYPE b gauge
        b\#(labels) 1e-05

        """#)
  }

  @Test func numbersThatAreNotFinite() {
    for (number, shown) in [(Double.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf")] {
      var text = PrometheusText(labels: [])
      text.add("a", help: "b", number)
      #expect(text.text.hasSuffix("\na \(shown)\n"))
    }
  }
}
