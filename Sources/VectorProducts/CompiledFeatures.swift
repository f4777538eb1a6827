internal import COpenBLAS

/// The instruction sets that this program was compiled to use, by their names in `/proc/cpuinfo`: a processor without one of
/// them cannot run it. Empty for the baseline of the architecture.
public var compiledFeatures: [String] {
  [
    ("avx2", lockstep_compiled_for_avx2()), ("fma", lockstep_compiled_for_fma()),
    ("avx512f", lockstep_compiled_for_avx512()),
  ].filter { $0.1 != 0 }.map(\.0)
}
