import RunReport
import Testing

struct ModelCardTests {
  /// Every number has a point, without which readers of YAML 1.1 take one with an exponent for a text.
  @Test func numbers() {
    for (value, text) in [(1e-5, "1.0e-05"), (1.5e-7, "1.5e-07"), (1e20, "1.0e+20"), (0.9839, "0.9839"), (3, "3.0")] {
      #expect(ModelCard.number(value) == text)
    }
  }

  @Test func textsStayTexts() {
    #expect(
      ModelCard.plain("a|b `c` <d> *e* _f_ #g [h] \\i\nj") == ##"a\|b \`c\` \<d\> \*e\* \_f\_ \#g \[h\] \\i\\nj"##)
    #expect(ModelCard.plain("plain, words.") == "plain, words.")
  }
}
