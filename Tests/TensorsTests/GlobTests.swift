import Tensors
import Testing

@Suite struct GlobTests {
  @Test(arguments: [
    ("", "", true), ("", "a", false), ("*", "", true), ("*", "dense1.bias", true), ("**", "x", true), ("?", "", false),
    ("?", "x", true), ("?", "xy", false), ("dense1.bias", "dense1.bias", true), ("dense1.bias", "dense1xbias", false),
    ("dense1.bias", "dense1.biases", false), ("dense1", "dense1.bias", false), ("dense*", "dense1.bias", true),
    ("*bias", "dense1.bias", true), ("*bias", "dense1.bias2", false), ("*.b*s", "dense1.bias", true),
    ("d*1*s", "dense1.bias", true), ("d*2*s", "dense1.bias", false), ("*a*a*", "abca", true), ("*a*a*", "abc", false),
    ("dense?.bias", "dense1.bias", true), ("dense?.bias", "dense12.bias", false), ("a*b", "aXbXb", true),
    ("[a]", "a", false), ("[a]", "[a]", true), ("Dense*", "dense1", false), ("é*", "étage", true),
  ])
  func patternsFit(_ pattern: String, _ name: String, _ fits: Bool) {
    #expect(Glob(pattern).matches(name) == fits)
  }

  /// The product of both lengths, and no more.
  @Test func manyStarsTakeNoTime() {
    let name = String(repeating: "a", count: 2000)
    let stars = String(repeating: "a*", count: 200)
    #expect(!Glob(stars + "b").matches(name))
    #expect(Glob(stars).matches(name))
  }
}
