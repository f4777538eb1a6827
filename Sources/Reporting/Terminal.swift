import FoundationEssentials
import Glibc
import Tensors

/// Where rank 0's lines go.
public enum Terminal {
  /// Whether a person is looking: standard output is a terminal, here or where mpirun passes it on to.
  ///
  /// Open MPI gives every rank a pseudo-terminal whatever its own output is, so below mpirun it is mpirun's that counts;
  /// `LOCKSTEP_TERMINAL` (0 or 1) overrides both.
  public static var isInteractive: Bool {
    let environment = ProcessInfo.processInfo.environment
    if let forced = environment["LOCKSTEP_TERMINAL"] { return forced == "1" }
    guard environment["OMPI_COMM_WORLD_RANK"] != nil else { return isatty(STDOUT_FILENO) == 1 }
    let output = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(getppid())/fd/1")
    return output?.hasPrefix("/dev/pts/") == true || output?.hasPrefix("/dev/tty") == true
  }

  /// Writes `text` to standard output at once, without a line end of its own.
  static func write(_ text: String) {
    print(text, terminator: "")
    fflush(nil)
  }

  /// Writes `lockstep: line` to standard error at once: one line, whatever `line` carries.
  public static func complain(_ line: String) {
    var bytes = Array("lockstep: \(singleLine(line))\n".utf8)
    while !bytes.isEmpty {
      let written = unsafe Glibc.write(STDERR_FILENO, bytes, bytes.count)
      guard written > 0 else { return }
      bytes.removeFirst(written)
    }
  }
}

/// `12,345`.
public func grouped(_ number: Int) -> String {
  var digits = Array(String(abs(number)))
  for index in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: index) }
  return (number < 0 ? "-" : "") + String(digits)
}

/// `number` with so many decimals.
public func fixed(_ number: Double, _ decimals: Int) -> String {
  guard number.isFinite, abs(number) < 1e15 else { return "\(number)" }
  let scale = pow(10, Double(decimals))
  let rounded = Int((abs(number) * scale).rounded())
  let sign = number < 0 && rounded != 0 ? "-" : ""
  guard decimals > 0 else { return sign + String(rounded) }
  let digits = String(rounded)
  let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
  return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
}

/// `7 %` of a part of 1; below a tenth with one decimal.
public func percent(_ part: Double) -> String { fixed(part * 100, part < 0.1 ? 1 : 0) + " %" }

/// `3 s`, `2 min 05 s`, `1 h 07 min`.
func duration(_ seconds: Double) -> String {
  let whole = Int(max(0, seconds.isFinite ? seconds : 0).rounded())
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return "\(whole / 60) min \(whole % 60 < 10 ? "0" : "")\(whole % 60) s" }
  return "\(whole / 3600) h \(whole / 60 % 60 < 10 ? "0" : "")\(whole / 60 % 60) min"
}
