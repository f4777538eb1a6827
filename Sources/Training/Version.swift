/// The library's and its program's version, which all ranks of a job must share.
public let lockstepVersion = "0.1.0"
