/** Waiting. A timer never keeps the process alive by itself. */
export interface Timers {
  /** @returns a function that cancels the timer; cancelling twice is harmless */
  after(milliseconds: number, action: () => void): () => void
  every(milliseconds: number, action: () => void): () => void
}

export const systemTimers: Timers = {
  after(milliseconds, action) {
    // setTimeout fires at once beyond 2^31-1 ms: wait in steps.
    const longest = 2 ** 31 - 1
    let timer: NodeJS.Timeout
    const wait = (left: number) => {
      timer = setTimeout(() => (left > longest ? wait(left - longest) : action()), Math.min(left, longest)).unref()
    }
    wait(milliseconds)
    return () => clearTimeout(timer)
  },
  every(milliseconds, action) {
    const timer = setInterval(action, milliseconds).unref()
    return () => clearInterval(timer)
  },
}
