import Foundation
import Testing

extension ProgramTests {
  /// Ranks whose libraries or processor modes would give other bits compute the same ones, or refuse to compute together.
  @Suite(.serialized)
  struct ArithmeticTests {
    /// What is loaded into a program before its libraries, each part under its name.
    private static let source = """
      #define _GNU_SOURCE
      #include <dlfcn.h>
      #include <fenv.h>
      #include <math.h>
      #ifdef ROUNDING_AT_START
      __attribute__((constructor)) static void begin(void) { fesetround(FE_UPWARD); }
      #endif
      #ifdef ROUNDING_BY_MPI
      int MPI_Init_thread(int *count, char ***words, int required, int *provided) {
        int code = ((int (*)(int *, char ***, int, int *))dlsym(RTLD_NEXT, "MPI_Init_thread"))(count, words, required, provided);
        fesetround(FE_UPWARD);
        return code;
      }
      #endif
      #ifdef NO_SUBNORMALS
      #include <xmmintrin.h>
      __attribute__((constructor)) static void begin(void) { _mm_setcsr(_mm_getcsr() | 0x8040); }
      #endif
      #if defined PLAIN_PRODUCTS || defined ROUNDING_BY_PRODUCTS
      typedef void Product(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
      void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb,
                       float beta, float *c, int ldc) {
      #ifdef PLAIN_PRODUCTS
        for (int i = 0; i < m; i++)
          for (int j = 0; j < n; j++) {
            float sum = 0;
            for (int l = 0; l < k; l++) sum += (ta == 112 ? a[l * lda + i] : a[i * lda + l]) * (tb == 112 ? b[j * ldb + l] : b[l * ldb + j]);
            c[i * ldc + j] = alpha * sum + (beta == 0 ? 0 : beta * c[i * ldc + j]);
          }
      #else
        ((Product *)dlsym(RTLD_NEXT, "cblas_sgemm"))(order, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        fesetround(FE_UPWARD);
      #endif
      }
      #endif
      #ifdef OTHER_VERSION
      char *openblas_get_config(void) { return "OpenBLAS 9.9.9"; }
      #endif
      #ifdef OTHER_EXPONENTIAL
      float expf(float x) { return nextafterf(exp(x), 0); }
      #endif
      """

    /// The library with the part `name`.
    private static func library(_ name: String, in scratch: ScratchDirectory) throws -> String {
      let (file, library) = (scratch.file("\(name).c"), scratch.file("\(name).so"))
      try Data(source.utf8).write(to: URL(fileURLWithPath: file))
      let compiler = Process()
      compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      compiler.arguments = ["clang", "-shared", "-fPIC", "-O1", "-D\(name)", "-o", library, file, "-lm", "-ldl"]
      try compiler.run()
      compiler.waitUntilExit()
      try #require(compiler.terminationStatus == 0, "\(name) does not compile")
      return library
    }

    private static let recipe = ["train", "--model", "mlp", "--max-steps", "150", "--seed", "7"]

    /// The whole point of the fixed tree: one rank's weights, whatever mode another was started in.
    @Test(arguments: ["ROUNDING_AT_START", "ROUNDING_BY_MPI"])
    func aRankStartedInAnotherModeComputesTheSame(_ name: String) throws {
      let scratch = try ScratchDirectory()
      let alone = try Program.run(Self.recipe + ["--run-dir", scratch.file("alone")])
      let arguments = Self.recipe + ["--run-dir", scratch.file("together")]
      let together = try Program.run(
        arguments, ranks: 2, others: arguments,
        othersEnvironment: ["LD_PRELOAD": Self.library(name, in: scratch)])
      #expect(together.code == 0, "\(together.errors)")
      #expect(together.weightsDigest != nil && together.weightsDigest == alone.weightsDigest)
    }

    #if arch(x86_64)
      /// Steps so small that weights which begin at zero stay below the normal numbers.
      @Test func subnormalNumbersAreKept() throws {
        let scratch = try ScratchDirectory()
        let arguments = ["train", "--max-steps", "3", "--learning-rate", "1e-40", "--run-dir"]
        let plain = try Program.run(arguments + [scratch.file("plain")])
        let other = try Program.run(
          arguments + [scratch.file("other")],
          environment: ["LD_PRELOAD": Self.library("NO_SUBNORMALS", in: scratch)])
        #expect(plain.weightsDigest != nil && plain.weightsDigest == other.weightsDigest, "\(plain) \(other)")
      }
    #endif

    @Test(arguments: ["PLAIN_PRODUCTS", "ROUNDING_BY_PRODUCTS", "OTHER_VERSION", "OTHER_EXPONENTIAL"])
    func aRankWithAnotherLibraryIsRefused(_ name: String) throws {
      let scratch = try ScratchDirectory()
      let run = scratch.file("run")
      #expect(try Program.run(["train", "--max-steps", "1", "--run-dir", run]).code == 0)
      let library = try Self.library(name, in: scratch)
      for arguments in [["train", "--max-steps", "3", "--run-dir", scratch.file("other")], ["evaluate", run]] {
        let outcome = try Program.run(
          arguments, ranks: 2, others: arguments, othersEnvironment: ["LD_PRELOAD": library])
        #expect(outcome.code == 64, "\(arguments[0]): \(outcome.errors)")
        #expect(outcome.errorLines.count == 1, "\(arguments[0]): \(outcome.errors)")
        #expect(outcome.errors.contains("rank 1 on "), "\(arguments[0]): \(outcome.errors)")
      }
    }
  }
}
