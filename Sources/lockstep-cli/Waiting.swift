import Lockstep

/// Shows what a person waits for for as long as `body` lasts, on rank 0 of a command whose results alone go to standard output.
func waiting<Result: ~Copyable, Failure: Error>(
  while text: String, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
  let place: WaitingLine.Place? = World.isFirst ? Terminal.isInteractive ? .terminal : .errors : nil
  return try WaitingLine.show(text, in: place, while: body)
}

/// All ranks of the job. Those that start later are waited for.
func joinedWorld() throws -> any Communicator { try waiting(while: "waiting for the other ranks") { try World.join() } }
