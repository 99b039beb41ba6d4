/** Somebody else was faster with what only one can have: look again. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken'
}

/** Does it once more when somebody else was faster. */
export async function unlessOvertaken<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Overtaken)) throw error
    return work()
  }
}
