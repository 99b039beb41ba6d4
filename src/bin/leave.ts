/** Milliseconds for what somebody else has open, as a connection that closes slowly. */
const PATIENCE = 5_000

/**
 * Ends the process when what it has said is taken, by a pipe whose reader is a person with a pager as well, and some time
 * has passed. It is done and its stores are closed: what is still open in it does not hold it.
 */
export async function leave(patience = PATIENCE): Promise<void> {
  const said = [process.stdout, process.stderr].map((stream) => {
    return new Promise<void>((taken) => stream.write('', () => taken()))
  })
  await Promise.all(said)
  setTimeout(() => process.exit(), patience).unref()
}
